# SPDX-License-Identifier: Apache-2.0
"""Inputs that a board makes itself: compared by digests, found one by one where they differ, whatever the board is."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.compiled import compiled
from support.faulty_board import Faults, FaultyBoard
from support.shared_builds import made_once
from support.streaming import StreamingNet
from support.tflite_writer import Model, dense_network

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite import made_inputs
from tinyproof.core.tflite.made_inputs import make_input
from tinyproof.host.check import check
from tinyproof.host.check_report import CheckReport
from tinyproof.host.many import expected
from tinyproof.host.many.asking import ManyResult, frames_before
from tinyproof.host.many.expected import ExpectedDigests
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.targets.reference_board import load_device

BOARD = find_board("reference")
COUNT, STREAMED = 300, 96
PATIENT = CheckConfig(timeout_s=5.0, vectors=COUNT, seed=7)
StartBoard = Callable[..., FaultyBoard]


@pytest.fixture
def net(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5 values in, 2 out; what is right for PATIENT's inputs is known, so that no process is started for it."""

    def make(folder: Path) -> None:
        know(compiled(folder / "net", dense_network(3, [5, 4, 2])), COUNT, 1)

    made = made_once(tmp_path_factory, "many", make)
    return Path(shutil.copytree(made / "net", tmp_path / "net"))


@pytest.fixture
def streaming(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with state."""

    def make(folder: Path) -> None:
        know(compiled(folder / "streaming", StreamingNet(5, channels=4).build()), STREAMED, 32)

    made = made_once(tmp_path_factory, "many-streaming", make)
    return Path(shutil.copytree(made / "streaming", tmp_path / "streaming"))


def know(folder: Path, count: int, frames: int) -> list[int]:
    with ExpectedDigests(folder, read_manifest(folder), PATIENT.seed, count, frames) as made:
        return made.of(0, count)


def wrong_at(folder: Path, index: int) -> Device:
    """The reference's device, but that its first output is one off for one input of PATIENT's, whoever makes that."""
    device = load_device(folder)
    right, wrong = device.run, make_input(device.inputs.tensors, PATIENT.seed, index)

    def run(content: bytes) -> bytes:
        answer = right(content)
        return bytes([answer[0] ^ 1]) + answer[1:] if content == wrong else answer

    device.run = run
    return device


def asked(folder: Path, board: FaultyBoard, config: CheckConfig = PATIENT) -> tuple[CheckReport, ManyResult]:
    report = check(BOARD, folder, board.port, config)
    assert report.many is not None
    return report, report.many


def test_all_are_compared_in_a_few_requests(net: Path, start_board: StartBoard) -> None:
    report, many = asked(net, start_board(device=load_device(net)))
    assert (many.checked, many.different, many.identical, many.on_board) == (COUNT, 0, True, True)
    assert many.requests <= 8
    assert report.proven
    document = json.loads((net / "boards" / BOARD.name / "check.json").read_text())["many"]
    assert document == many.as_dict()
    assert (document["count"], document["seed"], document["frames"], document["identical"]) == (COUNT, 7, 1, True)


@pytest.mark.parametrize("index", [0, 177, COUNT - 1])
def test_the_first_that_differs_is_found(net: Path, start_board: StartBoard, index: int) -> None:
    report, many = asked(net, start_board(device=wrong_at(net, index)))
    (found,) = many.divergences
    x = read_manifest(net).inputs
    assert (found.index, many.checked, many.different) == (index, index + 1, 1)
    assert bytes(value & 0xFF for value in found.x_q) == make_input(x, PATIENT.seed, index)
    assert abs(found.expected_q - found.board_q) == 1
    assert not report.proven
    assert not report.bits_identical
    assert report.mismatch().startswith(
        f"1 of {index + 1} inputs made of seed 7 differ on reference; first: input {index}"
    )


def test_a_bad_line_changes_nothing(net: Path, start_board: StartBoard) -> None:
    """By many small requests, so that there is something to lose, on the way to the fault and in the search for it."""
    faults = Faults(seed=4, drop=0.03, garble=0.1, garble_request=0.1, duplicate=0.1, reset_at=(90, 270))
    board = start_board(faults, slow_at_many(wrong_at(net, 123), 0.002))
    report, many = asked(net, board, CheckConfig(timeout_s=0.2, retries=20, vectors=COUNT, seed=7))
    assert board.spoiled > 0
    assert many.requests > 8
    assert [one.index for one in many.divergences] == [123]
    assert not report.proven


def slow_at_many(device: Device, seconds: float) -> Device:
    """The same device, whose inferences of `many` take so long."""
    run, answer = device.run, device.answer
    slow = False

    def run_slowly(content: bytes) -> bytes:
        time.sleep(seconds if slow else 0)
        return run(content)

    def answer_slowly(line: bytes) -> bytes:
        nonlocal slow
        slow = b" many " in line
        return answer(line)

    device.run = run_slowly
    device.answer = answer_slowly  # type: ignore[method-assign]
    return device


def test_a_slow_board_is_asked_for_as_few_as_are_in_time(net: Path, start_board: StartBoard) -> None:
    board = start_board(device=slow_at_many(load_device(net), 0.04))
    report, many = asked(net, board, CheckConfig(timeout_s=2.0, vectors=40, seed=7))
    assert report.proven
    assert report.bits.repeats == 0
    assert many.requests >= 4


@pytest.mark.parametrize("announced", [0, 2])
def test_a_firmware_without_them_gets_the_same_over_the_line(
    net: Path, start_board: StartBoard, announced: int
) -> None:
    device = wrong_at(net, 177)
    device.many = announced
    report, many = asked(net, start_board(device=device))
    assert (many.on_board, many.checked, many.different) == (False, COUNT, 1)
    assert [one.index for one in many.divergences] == [177]
    assert many.note == "its firmware makes no inputs of this kind; ./tinyproof build makes one that does"
    assert not report.proven


def test_places_in_an_input_are_kept_within_what_they_name(tmp_path: Path, start_board: StartBoard) -> None:
    model = Model()
    table, places = model.tensor((4, 3), 0.1, 0, list(range(12))), model.input((1, 2), dtype="int32")
    out = model.tensor((1, 2, 3), 0.1, 0)
    model.add("GATHER", [table, places], [out], axis=0, batchDims=0)
    folder = compiled(tmp_path / "net", model.build(out))
    report, many = asked(folder, start_board(device=load_device(folder)))
    assert report.proven
    assert (many.on_board, many.checked) == (False, COUNT)
    assert many.note.startswith("inputs that say where something is")


def test_a_state_lives_for_some_frames(streaming: Path, start_board: StartBoard) -> None:
    """The fault shows only with what came before it, and the search keeps to that."""
    device = load_device(streaming)
    x = device.inputs.tensors
    heard: list[bytes] = []
    right, right_reset = device.run, device.reset_state

    def run(content: bytes) -> bytes:
        heard.append(content)
        answer = right(content)
        place = heard[-3:] == [make_input(x, 7, index) for index in (79, 80, 81)]
        return bytes([answer[0] ^ 1]) if place else answer

    def reset() -> None:
        heard.clear()
        right_reset()

    device.run, device.reset_state = run, reset
    config = CheckConfig(timeout_s=5.0, vectors=STREAMED, seed=7)
    report, many = asked(streaming, start_board(device=device), config)
    assert (many.known, many.frames, many.checked, [one.index for one in many.divergences]) == (96, 32, 82, [81])
    assert not report.proven
    assert frames_before(x, many, 81) == [make_input(x, 7, index) for index in range(64, 81)]
    golden = Reference((streaming / "model.tflite").read_bytes())
    answers = golden.run_batch([make_input(x, 7, index) for index in range(64, 82)])
    assert many.divergences[0].expected_q == answers[-1][0]
    device.run = right
    assert asked(streaming, start_board(device=device), config)[0].proven


def test_a_slow_board_with_state_gets_shorter_sequences(streaming: Path, start_board: StartBoard) -> None:
    board = start_board(device=slow_at_many(load_device(streaming), 0.06))
    report, many = asked(streaming, board, CheckConfig(timeout_s=2.0, vectors=16, seed=7))
    assert report.proven
    assert report.bits.repeats == 0
    assert many.frames in (1, 2, 4, 8, 16)


def test_an_input_that_is_not_the_seeds_is_a_mismatch(
    net: Path, start_board: StartBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the answer to it may be right."""
    device = load_device(net)
    answers = {make_input(device.inputs.tensors, 7, index): index for index in range(COUNT)}
    other = bytes(5)
    right = device.run
    device.run = lambda content: right(make_input(device.inputs.tensors, 7, 9) if content == other else content)
    monkeypatch.setattr(
        made_inputs,
        "make_input",
        lambda tensors, seed, index: other if index == 9 else make_input(tensors, seed, index),
    )
    assert other not in answers
    report, many = asked(net, start_board(device=device))
    assert (many.checked, many.different, many.divergences) == (10, 1, [])
    assert "its answer to input 9 is right, but the input that it makes is another" in report.mismatch()
    assert not report.proven


def test_an_answer_that_is_wrong_once_is_a_mismatch(net: Path, start_board: StartBoard) -> None:
    device = load_device(net)
    right, wrong, left = device.run, make_input(device.inputs.tensors, 7, 60), [1]

    def run(content: bytes) -> bytes:
        answer = right(content)
        if content == wrong and left:
            left.clear()
            return bytes([answer[0] ^ 1]) + answer[1:]
        return answer

    device.run = run
    report, many = asked(net, start_board(device=device))
    assert "was answered wrongly once, and not again" in report.mismatch()
    assert not many.identical
    assert not report.proven


def test_what_the_reference_answered_is_kept_for_the_same_question_alone(net: Path) -> None:
    manifest = read_manifest(net)

    def digests(count: int, seed: int = 7) -> tuple[int, list[int]]:
        with ExpectedDigests(net, manifest, seed, count, 1) as made:
            return made.known, made.of(0, count)

    path = net / expected.FILE
    kept = path.read_text()
    known, all_of_them = digests(count=COUNT)
    assert (known, len(set(all_of_them)) > COUNT / 2) == (COUNT, True)
    assert digests(count=40) == (40, all_of_them[:40])
    assert path.read_text() == kept
    known, more = digests(count=COUNT + 20)
    assert (known, more[:COUNT]) == (288, all_of_them), "it goes on after whole blocks"
    assert digests(count=COUNT + 20) == (COUNT + 20, more)
    known, others = digests(count=20, seed=8)
    assert known == 0, "the file was of another question"
    assert others != all_of_them[:20]
    text = json.loads(kept)["digests"]
    path.write_text(json.dumps({**json.loads(kept), "digests": ("0" if text[0] != "0" else "1") + text[1:]}))
    assert digests(count=20) == (0, all_of_them[:20]), "a changed file was believed"


def test_another_models_answers_are_not_taken(net: Path, tmp_path: Path) -> None:
    other = compiled(tmp_path / "other", dense_network(4, [5, 4, 2]))
    shutil.copy(net / expected.FILE, other / expected.FILE)
    with ExpectedDigests(other, read_manifest(other), 7, 20, 1) as made:
        assert made.known == 0
        assert made.of(0, 20) != know(net, 20, 1)


def test_a_reference_that_stops_is_named(net: Path) -> None:
    manifest = read_manifest(net)
    with ExpectedDigests(net, manifest, 8, 20, 1) as made:
        (net / "model.tflite").write_bytes(b"no model")
        with pytest.raises(EnvironmentFaultError, match=r"the reference stopped, exit status 1: .*InputFileError"):
            made.of(0, 20)
    with pytest.raises(UsageError, match=r"model.tflite is missing or changed; run \./tinyproof export again"):
        ExpectedDigests(net, manifest, 7, 20, 1)


def test_the_command_says_what_was_compared(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", net.parent)

    def run(*words: str) -> Any:
        return CliRunner().invoke(main, ["check", "--model", "net", "--board", "reference", *words])

    said = run("--vectors", "64", "--seed", "7")
    words = " ".join(said.output.split())
    assert said.exit_code == 0, said.output
    assert "chosen inputs and 64 of 64 that the board made of seed 7 bit-identical to TFLite Micro" in words
    assert "the same again: --vectors 64 --seed 7" in words
    refused = run("--vectors", "5", "--dataset", "x.npz")
    assert (refused.exit_code, "leave out --dataset" in refused.output) == (2, True)
    assert run("--vectors", "5", "--seed", str(2**31)).exit_code == 2
    refused = run("--seed", "5")
    assert (refused.exit_code, "say how many with --vectors" in refused.output) == (2, True)
