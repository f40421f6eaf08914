# SPDX-License-Identifier: Apache-2.0
"""Samples that are sequences of frames: each comes after a reset, and is compared and judged as what it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from support.compiled import compiled
from support.faulty_board import Faults, FaultyBoard
from support.streaming import StreamingNet

import tinyproof.core.paths
from tinyproof.cli import main as cli
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import read_dataset
from tinyproof.core.errors import InputFileError
from tinyproof.core.manifest import TensorSpec, read_manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.host.check_dataset import HEARD, check_dataset
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.session import layouts_of

PATIENT = CheckConfig(timeout_s=20.0)
BOARD = find_board("reference")
SAMPLES, FRAMES, SIZE = 6, 9, 48
TWO = (TensorSpec("x", [1, 2], "int8", 1.0, 0, 2),)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("sequences") / "net", StreamingNet(1, channels=4, silent=True).build())


@pytest.fixture
def folder(net: Path, tmp_path: Path) -> Path:
    """One for each test, which may change it."""
    return Path(shutil.copytree(net, tmp_path / "net"))


def frames() -> Any:
    return np.random.default_rng(3).integers(-9, 4, (SAMPLES, FRAMES, SIZE)).astype(np.int8)


def answers(folder: Path) -> Any:
    """What the net answers to each frame, each sample from a reset: [SAMPLES, FRAMES], from 0 to 1."""
    reference = Reference((folder / "model.tflite").read_bytes())
    return np.array([[q[0] / 256 for q in reference.run_batch([f.tobytes() for f in sample])] for sample in frames()])


def asked(folder: Path, port: str | None = None, config: CheckConfig = PATIENT, **arrays: Any) -> Any:
    np.savez(folder / "d.npz", x_q=frames(), **arrays)
    dataset = read_dataset(folder / "d.npz", read_manifest(folder).inputs, sequences=True)
    return check_dataset(BOARD, folder, port, config, dataset)


def test_a_sample_may_be_frames_or_as_many_values_in_a_row(tmp_path: Path) -> None:
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    np.savez(tmp_path / "frames.npz", x=x, y=[1, 0])
    np.savez(tmp_path / "rows.npz", x=x.reshape(2, 6), y=[1, 0])
    rows = "\n".join(",".join(map(str, [*sample.reshape(-1), label])) for sample, label in zip(x, (1, 0), strict=True))
    (tmp_path / "rows.csv").write_text(f"a,b,c,d,e,f,label\n{rows}\n")
    for name in ("frames.npz", "rows.npz", "rows.csv"):
        dataset = read_dataset(tmp_path / name, TWO, sequences=True)
        assert (len(dataset), dataset.frames, dataset.y.tolist()) == (2, 3, [1, 0])
        np.testing.assert_array_equal(dataset.x, x.reshape(6, 2))
        with pytest.raises(InputFileError, match=r"6 values in each sample, the model takes 2$"):
            read_dataset(tmp_path / name, TWO)
    np.savez(tmp_path / "odd.npz", x=np.zeros((2, 5)))
    with pytest.raises(InputFileError, match="5 values in each sample, the model takes 2 or a whole number of such"):
        read_dataset(tmp_path / "odd.npz", TWO, sequences=True)


def test_inputs_of_different_lengths_are_refused(tmp_path: Path) -> None:
    ends = [TensorSpec(name, [1, 2], "int8", 1.0, 0, 2) for name in ("left", "right")]
    np.savez(tmp_path / "d.npz", left=np.zeros((2, 3, 2)), right=np.ones((2, 3, 2)))
    assert read_dataset(tmp_path / "d.npz", ends, sequences=True).x.tolist() == [[0, 0, 1, 1]] * 6
    np.savez(tmp_path / "d.npz", left=np.zeros((2, 3, 2)), right=np.ones((3, 2, 2)))
    with pytest.raises(InputFileError, match="the same number of samples"):
        read_dataset(tmp_path / "d.npz", ends, sequences=True)


def test_a_detector_has_heard_what_any_frame_was_sure_of(folder: Path) -> None:
    heard = answers(folder).max(axis=1) >= HEARD
    assert 0 < heard.sum() < SAMPLES, "take another net: this one hears all or nothing"
    said = heard.astype(int)
    said[heard.argmax()], said[(~heard).argmax()] = 0, 1
    report = asked(folder, y=said)
    assert report.proven
    assert (report.samples, report.frames, report.bits.checked) == (SAMPLES, FRAMES, SAMPLES * FRAMES)
    correct = SAMPLES - 2
    wanted = {"kind": "detection", "correct": correct, "share": correct / SAMPLES, "missed": 1, "false": 1}
    assert report.accuracy == wanted


def test_real_answers_are_the_last_frames(folder: Path) -> None:
    report = asked(folder, y=answers(folder)[:, -1] + 0.25)
    assert report.accuracy["rmse"] == pytest.approx(0.25, abs=1e-6)


def test_a_wrong_frame_is_named_with_its_sample(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden reference of the host is bent instead of the board's answer: they differ all the same."""
    right: Callable[[Reference, bytes], bytes] = Reference.run
    wrong = frames()[4, 7].tobytes()
    monkeypatch.setattr(Reference, "run", lambda self, x_q: bytes([right(self, x_q)[0] ^ (x_q == wrong)]))
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", folder.parent)
    np.savez(folder / "d.npz", x_q=frames())
    command = ["check", "--model", "net", "--board", "reference", "--dataset", str(folder / "d.npz")]
    shown = CliRunner().invoke(cli.main, command)
    assert shown.exit_code == 1, shown.output
    assert "6 of 6 samples of 9 frames on reference" in shown.output
    assert "bits differ at input 4, frame 7, x_q = [" in shown.output
    assert "MISMATCH 53 of 54 frames bit-identical" in shown.output


def test_a_board_that_restarts_hears_the_sample_from_its_beginning(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert manifest.memory is not None
    reference = Reference((folder / "model.tflite").read_bytes())
    device = Device(
        manifest.model_id, *layouts_of(manifest), reference.run, reference.reset, manifest.memory.state_bytes
    )
    board = FaultyBoard(device, Faults(reset_at=(25, 60)), pty=False)
    try:
        report = asked(folder, board.port, CheckConfig(timeout_s=1.0))  # it is silent as often as it restarts
    finally:
        board.stop()
    assert report.proven
    assert (report.bits.resets, report.bits.checked) == (2, SAMPLES * FRAMES)
