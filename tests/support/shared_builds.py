# SPDX-License-Identifier: Apache-2.0
"""Folders that are made once for the whole run, by whichever of xdist's workers needs them first."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from support.compiled import compiled
from support.two_layers import two_layers
from tinyproof.core.board_spec import find_board
from tinyproof.core.model_file import find_model_file
from tinyproof.export.calibration import Calibration
from tinyproof.export.import_model import import_model
from tinyproof.firmware.platformio_build import build
from tinyproof.train.gestures import make_gestures


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The run's folder `name`, filled by `make`; the others wait. It is only to be read."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # a worker's own base lies in the run's
    folder = root / name
    with FileLock(root / f"{name}.lock"):
        if not folder.is_dir():
            unfinished = root / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


def gestures_build(factory: pytest.TempPathFactory) -> Path:
    """The imported classifier of `tinyproof example`, as a build folder."""

    def make(root: Path) -> None:
        example = make_gestures(root)
        source = find_model_file(str(example.model))
        assert source is not None
        import_model(source, root / "gestures", Calibration(example.calibration))

    return made_once(factory, "gestures", make) / "gestures"


def tiny_firmware(factory: pytest.TempPathFactory) -> Path:
    """The build folder of 1-12-1, named `small`, with its firmware for qemu-cortex-m4."""

    def make(root: Path) -> None:
        build(find_board("qemu-cortex-m4"), compiled(root / "small", two_layers()))

    return made_once(factory, "tiny_firmware", make) / "small"
