# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin in a repository of a user's own, which has packages of the names that our folders have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.mutated_build import OPERATOR, TENSOR
from support.tflite_writer import dense_network

from tinyproof.core.paths import ROOT

# Builds of this repository go into it, although the clone has settings of its own.
CONFTEST = """
from pathlib import Path
from tinyproof.core import paths
paths.BUILD = Path(__file__).parent / "build"
paths.CURRENT_FILE = paths.BUILD / "current"
paths.CONFIG_FILE = Path(__file__).parent / "tinyproof.toml"
"""
PROVES = """
import export, host, train
from tinyproof import assert_proven

def test_the_model_is_proven(board):
    assert (train.OURS, export.OURS, host.OURS) == (True, True, True)
    proof = assert_proven("net.tflite", board)
    assert (proof.board, proof.vectors, proof.bits_different) == (board.name, 256, 0)
    assert proof.instructions is None or proof.instructions > 100
"""
MUTATES = """
import tinyproof
from support.mutated_build import bend_a_weight

def test_the_model_is_proven(board):
    bend_a_weight(tinyproof.export("net.tflite").folder)
    tinyproof.assert_proven("net", board)
"""
OWN_BOARD = """
import pytest

@pytest.fixture
def board():
    return "chess"

def test_the_fixture_is_the_users(board):
    assert board == "chess"
"""
STRANGER = """
import sys

def test_nothing_of_ours_is_loaded_for_who_does_not_ask():
    ours = {name for name in sys.modules if name.startswith("tinyproof")}
    parts = ("", ".core", ".core.version", ".export", ".pytest_plugin")
    assert ours <= {f"tinyproof{part}" for part in parts}
    assert not {"click", "numpy", "cattrs", "tensorflow"} & set(sys.modules)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("train", "export", "host"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("OURS = True\n", encoding="utf-8")
    (tmp_path / "net.tflite").write_bytes(dense_network(20, [3, 5, 6, 4, 2]))
    (tmp_path / "tinyproof.toml").write_text("[check]\ntimeout_s = 5.0\n", encoding="utf-8")
    return tmp_path


def run(repository: Path, content: str, *arguments: str, conftest: str = CONFTEST) -> subprocess.CompletedProcess[str]:
    """pytest as its user runs it: from the repository's folder, which is then the first place to import from."""
    (repository / "test_model.py").write_text(content, encoding="utf-8")
    if conftest:
        (repository / "conftest.py").write_text(conftest, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},  # for `support`
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("board", ["reference", pytest.param("qemu-cortex-m4", marks=pytest.mark.nightly)])
def test_a_users_repository_proves_its_model(repository: Path, board: str) -> None:
    done = run(repository, PROVES, "--tinyproof-board", board)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository / "build" / "net" / "boards" / board / "check.json").is_file()


@pytest.mark.nightly
def test_a_mutated_model_fails_with_the_operators_name(repository: Path) -> None:
    done = run(repository, MUTATES, "--tinyproof-board", "qemu-cortex-m4")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "net is not proven on qemu-cortex-m4" in done.stdout
    assert f"first wrong operator: {OPERATOR}, tensor '{TENSOR}'" in done.stdout
    assert "inputs differ on qemu-cortex-m4" in done.stdout
    assert "def assert_proven" not in done.stdout  # the user's line, not ours


def test_a_board_that_is_not_there_is_told_in_a_line(repository: Path) -> None:
    done = run(repository, PROVES, "--tinyproof-board", "qemu-cortex-m44")
    assert done.returncode == 1
    assert "did you mean qemu-cortex-m4?" in done.stdout


@pytest.mark.parametrize(("content", "conftest"), [(OWN_BOARD, ""), (STRANGER, "")])
def test_who_does_not_use_it_is_not_disturbed(repository: Path, content: str, conftest: str) -> None:
    done = run(repository, content, "-W", "error", conftest=conftest)
    assert done.returncode == 0, done.stdout + done.stderr
