# SPDX-License-Identifier: Apache-2.0
"""Known answers whose input is none of the vectors are held against the golden reference, not against the board."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.compiled import compiled
from support.scripted_board import ScriptedBoard
from support.single_device import single_device
from support.tflite_writer import dense_network

from tinyproof.cli.show_check import print_check
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Expected, read_manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.host.check import check

PATIENT = CheckConfig(timeout_s=5.0)
BOARD = find_board("nano33ble")
ASKED = bytes([3, 1, 4])


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("answers") / "net", dense_network(20, [3, 5, 6, 4, 2]))


@pytest.fixture
def folder(net: Path, tmp_path: Path) -> Path:
    """A build that knows one answer, which no vector asks for."""
    made = Path(shutil.copytree(net, tmp_path / "net"))
    manifest = read_manifest(made)
    x = manifest.inputs[0]
    manifest.expected = [Expected([x.scale * (q - x.zero_point) for q in ASKED], [0.0, 0.0], "a test")]
    manifest.write(made)
    return made


@pytest.mark.parametrize("bits", [0, 1])
def test_a_board_that_is_wrong_there_alone_is_found(folder: Path, bits: int) -> None:
    manifest = read_manifest(folder)
    reference = Reference((folder / "model.tflite").read_bytes())

    def run(x_q: bytes) -> bytes:
        y = reference.run(x_q)
        return bytes([y[0] ^ bits, *y[1:]]) if x_q == ASKED else y

    with ScriptedBoard(single_device(manifest.model_id, manifest.inputs[0], manifest.outputs[0], run)) as board:
        report = check(BOARD, folder, board.port, PATIENT)
    assert report.bits.different == 0
    assert report.bits_identical == (bits == 0)
    assert ("it must answer q[0] = " in report.answers[0].fault) == (bits == 1)


def test_the_reference_needs_the_exported_model(folder: Path) -> None:
    manifest = read_manifest(folder)
    (folder / "model.tflite").unlink()
    device = single_device(manifest.model_id, manifest.inputs[0], manifest.outputs[0], lambda x_q: x_q[:2])
    with ScriptedBoard(device) as board, pytest.raises(UsageError, match=r"model\.tflite is missing or changed"):
        check(BOARD, folder, board.port, PATIENT)


@pytest.mark.parametrize(("reference", "words"), [("", "TFLite Micro"), ("python", "the Python reference")])
def test_the_proof_says_who_gave_the_golden_answers(
    folder: Path, reference: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = read_manifest(folder)
    manifest.versions["reference"] = reference or manifest.versions["reference"]
    manifest.write(folder)
    run = Reference((folder / "model.tflite").read_bytes()).run
    with ScriptedBoard(single_device(manifest.model_id, manifest.inputs[0], manifest.outputs[0], run)) as board:
        report = check(BOARD, folder, board.port, PATIENT)
    print_check(report)
    assert f"bit-identical to {words};" in " ".join(capsys.readouterr().out.split())
    assert report.as_dict()["reference"] == words
