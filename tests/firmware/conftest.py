# SPDX-License-Identifier: Apache-2.0
"""The protocol's C code as a program of this machine, with warnings as errors and sanitizers on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.compiled import compiled
from support.native import Driver
from support.protocol_driver import compile_driver
from support.tflite_writer import dense_network


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """driver(input, *arguments) -> stdout; a crash or a sanitizer's report fails the test."""
    program = compile_driver(tmp_path_factory)

    def run(content: bytes, *arguments: str) -> bytes:
        done = subprocess.run([program, *arguments], input=content, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    return run


@pytest.fixture(scope="session")
def small_tflite() -> bytes:
    """1-4-2 with per-channel weights, from a fixed seed."""
    return dense_network(3, [1, 4, 2])


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, small_tflite: bytes) -> Path:
    """An exported model, to be copied and not to be touched."""
    return compiled(tmp_path_factory.mktemp("models") / "small", small_tflite)
