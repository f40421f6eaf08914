# SPDX-License-Identifier: Apache-2.0
"""The wake word's example on boards: one sound after the other, from the command line and over thousands of frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.shared_builds import made_once

import tinyproof.cli.wake_word
import tinyproof.core.paths
import tinyproof.train.wake_word.example
from tinyproof.cli import main as cli
from tinyproof.cli.wake_word import BOARD_SOUNDS
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import read_dataset
from tinyproof.core.errors import TinyproofError
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.export.export import compile_model
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check_dataset import check_dataset
from tinyproof.train.wake_word import sounds
from tinyproof.train.wake_word.example import FRAMES, Effort, make_wake_word
from tinyproof.train.wake_word.front_end import HOP

LITTLE = Effort(training=96, test=12, epochs=2, scenes=1)
LONG_FRAMES = 10_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled detector, hardly trained; each board builds in a folder of its own inside."""

    def make(root: Path) -> None:
        made = make_wake_word(root / "files", LITTLE)
        (root / "net").mkdir()
        (root / "net" / "model.tflite").write_bytes(made.model.read_bytes())
        compile_model(root / "net", Manifest("net"))

    return made_once(tmp_path_factory, "wake_word_build", make) / "net"


@pytest.mark.nightly
def test_the_example_proves_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    monkeypatch.setattr(tinyproof.core.paths, "CURRENT_FILE", tmp_path / "current")
    monkeypatch.setattr(tinyproof.train.wake_word.example, "Effort", lambda: LITTLE)
    (tmp_path / "tinyproof.toml").write_text("[check]\ntimeout_s = 20.0\n")  # a busy machine is no fault
    monkeypatch.setattr(tinyproof.cli.wake_word, "CONFIG_FILE", tmp_path / "tinyproof.toml")
    command = ["example", "wake-word", "--folder", str(tmp_path / "files"), "--board", "reference"]
    shown = CliRunner().invoke(cli.main, [*command, "--json"])
    assert shown.exit_code == 0, shown.output
    document = json.loads(shown.stdout)
    data_set = document["data_set"]
    assert (data_set["samples"], data_set["frames_per_sample"], data_set["different"]) == (BOARD_SOUNDS, FRAMES, 0)
    assert document["check"]["vectors"] == "sequence"
    assert document["check"]["proven"]
    for key in ("share", "missed", "false"):  # all the sounds that there are, so that the board's score is int8's
        assert data_set["accuracy"][key] == document["int8"][key], key
    refused = CliRunner().invoke(cli.main, ["example", "gestures", "--board", "reference"])
    assert refused.exit_code == 2


@pytest.mark.nightly
def test_an_uno_is_too_small_and_told_by_how_much(folder: Path) -> None:
    with pytest.raises(
        TinyproofError, match=r"does not fit: needs [\d,]+ B of flash.*needs [\d,]+ B of ram, .* 2,048 B"
    ):
        build(find_board("sim-uno"), folder)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["qemu-cortex-m4", "qemu-cortex-m33", "qemu-riscv32", "qemu-xtensa"])
def test_ten_thousand_frames_are_identical(folder: Path, name: str, tmp_path: Path) -> None:
    random = np.random.default_rng(8)
    scenes = [sounds.clip(random, 500 * HOP, word=bool(number % 2)).samples for number in range(LONG_FRAMES // 500)]
    np.savez(tmp_path / "long.npz", x_q=np.stack(scenes).reshape(1, LONG_FRAMES, HOP))
    board = find_board(name)
    build(board, folder)
    dataset = read_dataset(tmp_path / "long.npz", read_manifest(folder).inputs, sequences=True)
    report = check_dataset(board, folder, None, CheckConfig(timeout_s=30.0), dataset)
    assert report.mismatch() == ""
    assert report.bits.checked == LONG_FRAMES
