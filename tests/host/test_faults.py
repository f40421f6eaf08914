# SPDX-License-Identifier: Apache-2.0
"""Boards that misbehave: `check` proves, or says what happened, in bounded time."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import effort
from support.fake_build import BOARD, ID, QUICK, X, Y, line, make_build
from support.faulty_board import Faults, FaultyBoard
from support.single_device import single_device

from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, MismatchError, TinyproofError, UsageError
from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.check import check
from tinyproof.host.check_report import CheckReport
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.protocol.framing import Reply, frame
from tinyproof.host.transport.client import SEQ_WRAP, DeviceError, Link, refuse_contradiction
from tinyproof.host.transport.ports import PortPolicy

StartBoard = Callable[..., FaultyBoard]
SHORT = CheckConfig(timeout_s=0.05, retries=3)
PATIENT = CheckConfig(timeout_s=20.0)  # a busy machine is no fault: nothing is repeated because of it


def refused(build_dir: Path, port: str, config: CheckConfig = SHORT, within_s: float = 5.0) -> TinyproofError:
    """The error that `check` ends with, which must come soon."""
    start = time.monotonic()
    with pytest.raises(TinyproofError) as raised:
        check(BOARD, build_dir, port, config)
    assert time.monotonic() - start < within_s
    return raised.value


def proves(report: CheckReport) -> bool:
    return report.proven and report.bits.checked == 256 and len(report.answers) == 5


@pytest.mark.parametrize("pty", [False, True])
def test_a_sound_board_is_proven(build_dir: Path, start_board: StartBoard, pty: bool) -> None:
    board = start_board(pty=pty)
    calls: list[tuple[float, int]] = []
    report = check(BOARD, build_dir, board.port, PATIENT, lambda done, total: calls.append((done, total)))
    assert proves(report)
    assert report.bits.repeats == report.bits.resets == 0
    assert calls[-1] == (256, 256)
    assert (report.bits.round_trips, report.bits.tick_unit, report.engine) == (256, "us", "python")
    written = json.loads((build_dir / "boards" / "fake" / "check.json").read_text())
    assert written == report.as_dict()


@pytest.mark.parametrize("seed", range(effort.examples(1, at_night=3)))
@pytest.mark.parametrize(
    ("fault", "spoils"),
    [
        ({"drop": 0.05}, True),
        ({"garble": 0.05}, True),
        ({"garble_request": 0.1}, True),
        ({"duplicate": 0.5}, False),
        ({"delay": 0.05, "delay_s": 0.12}, True),  # late by more than two timeouts
        ({"drop": 0.02, "garble": 0.02, "garble_request": 0.05, "duplicate": 0.2, "delay": 0.02, "delay_s": 0.1}, True),
    ],
    ids=["drop", "garble", "garble-request", "duplicate", "late", "all"],
)
def test_a_bad_line_is_overcome(
    build_dir: Path, start_board: StartBoard, fault: dict[str, float], spoils: bool, seed: int
) -> None:
    board = start_board(Faults(seed=seed, **fault))  # type: ignore[arg-type]
    report = check(BOARD, build_dir, board.port, dataclasses.replace(SHORT, retries=10) if spoils else PATIENT)
    assert proves(report)
    assert board.duplicated > 0 or "duplicate" not in fault
    assert (board.spoiled > 0) == spoils
    assert (report.bits.repeats > 0) == spoils


def test_a_line_too_bad_ends_in_words(build_dir: Path, start_board: StartBoard) -> None:
    error = refused(build_dir, start_board(Faults(garble=1.0)).port)
    assert isinstance(error, BoardError)
    assert error.exit_code == 3
    assert "4 attempts of 0.05 s" in error.message
    assert "damaged lines" in error.message


def test_a_request_always_damaged_is_repeated_at_once(build_dir: Path, start_board: StartBoard) -> None:
    start = time.monotonic()
    error = refused(build_dir, start_board(Faults(garble_request=1.0)).port, CheckConfig(timeout_s=3.0, retries=3))
    assert "complaints that the request arrived damaged" in error.message or "damaged lines" in error.message
    assert time.monotonic() - start < 15


def test_a_restart_midway_is_survived_and_reported(build_dir: Path, start_board: StartBoard) -> None:
    report = check(BOARD, build_dir, start_board(Faults(reset_at=(40, 90))).port, SHORT)
    assert proves(report)
    assert report.bits.resets == 2


WIDE_X = TensorSpec("x", [1, 700], "int8", 0.1, 0, 700)
WIDE_Y = TensorSpec("y", [1, 600], "int8", 0.1, 0, 600)


def wide(content: bytes) -> bytes:
    return bytes((content[i] * 3 + content[i + 100]) & 0xFF for i in range(600))


def wide_device() -> Device:
    return single_device(ID, WIDE_X, WIDE_Y, wide, binary_bytes=128)


def test_tensors_longer_than_a_line_go_by_parts(tmp_path: Path, start_board: StartBoard) -> None:
    build = make_build(tmp_path / "wide", WIDE_X, WIDE_Y, wide, count=6)
    report = check(BOARD, build, start_board(device=wide_device()).port, QUICK)
    assert report.proven
    assert report.bits.checked == 6
    assert report.bits.round_trips > 6 * 4


def test_a_restart_between_load_and_run_loses_no_proof(tmp_path: Path, start_board: StartBoard) -> None:
    build = make_build(tmp_path / "wide", WIDE_X, WIDE_Y, wide, count=6)
    for at in (3, 4, 5, 6):  # info is the first request; load, load, run, read, read follow
        board = start_board(Faults(reset_at=(at,)), wide_device())
        report = check(BOARD, build, board.port, SHORT)
        assert report.proven
        assert report.bits.resets == 1


def test_a_bad_line_does_not_corrupt_tensors_sent_by_parts(tmp_path: Path, start_board: StartBoard) -> None:
    build = make_build(tmp_path / "wide", WIDE_X, WIDE_Y, wide, count=6)
    faults = Faults(drop=0.1, garble=0.1, garble_request=0.1, duplicate=0.2)
    report = check(BOARD, build, start_board(faults, wide_device()).port, dataclasses.replace(SHORT, retries=20))
    assert report.proven
    assert report.bits.repeats > 0


def test_another_model_is_refused_with_both_ids(build_dir: Path, start_board: StartBoard) -> None:
    other = "0123456789abcdef"
    error = refused(build_dir, start_board(device=single_device(other, X, Y, line)).port)
    assert isinstance(error, BoardError)
    assert error.exit_code == 3
    assert other in error.message
    assert ID in error.message


def test_another_shape_is_refused(build_dir: Path, start_board: StartBoard) -> None:
    error = refused(build_dir, start_board(device=single_device(ID, WIDE_X, Y, line)).port)
    assert "takes 700 bytes" in error.message


def test_another_protocol_version_is_refused(build_dir: Path, start_board: StartBoard) -> None:
    class Newer(Device):
        def answer(self, line: bytes) -> bytes:
            return self._reply("ok tinyproof=2", int(line.split(b" ")[0][1:]), True)

    error = refused(build_dir, start_board(device=Newer(ID, TensorLayout((X,)), TensorLayout((Y,)), line)).port)
    assert "version 2" in error.message


def test_wrong_bits_are_counted_and_the_first_is_named(build_dir: Path, start_board: StartBoard) -> None:
    def wrong(content: bytes) -> bytes:
        right = line(content)
        return bytes([right[0] ^ 1]) if content in (b"\x05", b"\x06") else right

    report = check(BOARD, build_dir, start_board(device=single_device(ID, X, Y, wrong)).port, QUICK)
    assert not report.proven
    assert report.bits.different == 2
    first = report.bits.divergences[0]
    assert (first.index, first.x_q, first.element) == (128 + 5, [5], 0)
    assert first.expected_q == line(b"\x05")[0] - (256 if line(b"\x05")[0] > 127 else 0)
    assert "x_q = 5" in report.mismatch()
    assert f"expected q = {first.expected_q}" in report.mismatch()
    assert f"board q = {first.board_q}" in report.mismatch()


@pytest.mark.parametrize(
    ("x_tensor", "y_tensor", "says"),
    [
        (dataclasses.replace(X, scale=X.scale * 1.1), Y, "must answer"),
        (X, dataclasses.replace(Y, scale=Y.scale * 1.0000002), "the board says"),
    ],
    ids=["quantization", "last bit of y"],
)
def test_wrong_arithmetic_on_reals_is_found(
    build_dir: Path, start_board: StartBoard, x_tensor: TensorSpec, y_tensor: TensorSpec, says: str
) -> None:
    report = check(BOARD, build_dir, start_board(device=single_device(ID, x_tensor, y_tensor, line)).port, QUICK)
    assert report.bits.different == 0
    assert not report.proven
    assert says in report.mismatch()


def test_answers_out_of_tolerance_are_a_mismatch_though_the_bits_hold(tmp_path: Path, start_board: StartBoard) -> None:
    def off(content: bytes) -> bytes:
        return bytes([(line(content)[0] + 9) & 0xFF]) if content[0] < 60 else line(content)

    build = make_build(tmp_path / "off", run=off)
    report = check(BOARD, build, start_board(device=single_device(ID, X, Y, off)).port, QUICK)
    assert report.bits_identical
    assert not report.answers_within_tolerance
    assert not report.proven
    assert "tolerance" in report.mismatch()


@pytest.mark.parametrize(
    "flood",
    [
        b"\xff\x00garbage" * 200,
        b"garbage\n" * 200,
        b"@1 ok q=1 t=1us*0000\n" * 50,
        frame("err 2 crc") * 50,
        frame("ok q=1 t=1us", 99999) * 50,
        b"\n" * 999,
    ],
    ids=["endless-line", "lines", "bad-crc", "crc-errors", "stale", "empty-lines"],
)
def test_endless_garbage_ends_in_words(build_dir: Path, start_board: StartBoard, flood: bytes) -> None:
    error = refused(build_dir, start_board(Faults(flood=flood)).port)
    assert isinstance(error, BoardError)
    assert "bytes came" in error.message
    assert error.message.isprintable()


@pytest.mark.parametrize("pty", [False, True])
def test_silence_ends_in_words(build_dir: Path, start_board: StartBoard, pty: bool) -> None:
    error = refused(build_dir, start_board(Faults(silent=True), pty=pty).port, within_s=3.0)
    assert "no answer" in error.message
    assert "not one byte came" in error.message


@pytest.mark.parametrize("at", [0, 50])
def test_a_closed_connection_ends_in_words(build_dir: Path, start_board: StartBoard, at: int) -> None:
    board = start_board(Faults(close_at=at))
    error = refused(build_dir, board.port)
    assert isinstance(error, BoardError)
    assert "closed" in error.message


def test_boot_noise_before_the_first_answer_is_ignored(build_dir: Path, start_board: StartBoard) -> None:
    noise = b"ets Jul 29 2019\r\nrst:0x1 (POWERON_RESET)\r\n\xc3\x28\xff" + b"AT\r\n# tinyproof fake python\n@7 ok q=1"
    report = check(BOARD, build_dir, start_board(Faults(noise=noise)).port, QUICK)
    assert proves(report)


@pytest.mark.parametrize("wrong_first", [True, False])
@pytest.mark.parametrize("apart_s", [0.0, 0.05])
def test_two_answers_that_disagree_are_a_mismatch_in_either_order(
    build_dir: Path, start_board: StartBoard, wrong_first: bool, apart_s: float
) -> None:
    faults = Faults(contradicts_at=40, wrong_first=wrong_first, apart_s=apart_s)
    with pytest.raises(MismatchError, match="two different answers") as raised:
        check(BOARD, build_dir, start_board(faults).port, PATIENT)
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("field", ["t", "stack", "model"])
def test_what_two_answers_measured_may_differ_and_nothing_else(field: str) -> None:
    """A board that is asked for `info` twice may have used more stack by the second time."""
    first, second = (Reply(0, 0, f"tinyproof=1 model=ab {field}={number} types=int8/int8") for number in (180, 212))
    if field == "model":
        with pytest.raises(MismatchError, match="two different answers"):
            refuse_contradiction("info", first, second)
    else:
        refuse_contradiction("info", first, second)


def test_answers_that_are_always_one_late_end_soon_and_in_words(build_dir: Path, start_board: StartBoard) -> None:
    error = refused(build_dir, start_board(Faults(one_late=True)).port)
    assert "answers are one late" in error.message
    assert error.exit_code == 3


def test_a_check_ends_when_all_its_time_is_over(build_dir: Path, start_board: StartBoard) -> None:
    slow = Faults(delay=1.0, delay_s=0.02)
    error = refused(build_dir, start_board(slow).port, dataclasses.replace(PATIENT, total_s=0.5))
    assert "within 0.5 s" in error.message
    assert "--total" in error.message


def test_a_refused_request_names_the_reason(start_board: StartBoard) -> None:
    with Link(start_board().port, PortPolicy(), 0.5, 1) as link:
        with pytest.raises(DeviceError) as raised:
            link.request("q 1 2")
        assert raised.value.code == 4
        assert "error 4 length" in raised.value.message
        assert link.request("q 1").startswith("q=")  # the link goes on


def test_sequence_numbers_wrap(start_board: StartBoard) -> None:
    with Link(start_board().port, PortPolicy(), 0.5, 1, first_seq=SEQ_WRAP - 3) as link:
        for _ in range(2 * SEQ_WRAP):
            assert link.request("q 5").startswith(f"q={line(bytes([5]))[0]} ")


def test_an_absent_port_is_named() -> None:
    with pytest.raises(BoardError) as raised:
        Link("/dev/ttyTINYPROOF9", PortPolicy(), 0.1, 0)
    assert "/dev/ttyTINYPROOF9 is absent" in raised.value.message


def test_a_port_that_nobody_listens_on(start_board: StartBoard) -> None:
    with pytest.raises(BoardError) as raised:
        Link("socket://127.0.0.1:9", PortPolicy(), 0.1, 0)
    assert "does not answer" in raised.value.message


def test_a_busy_port_is_named(start_board: StartBoard) -> None:
    board = start_board(pty=True)
    with Link(board.port, PortPolicy(), 0.1, 0), pytest.raises(BoardError) as raised:
        Link(board.port, PortPolicy(), 0.1, 0)
    assert "busy" in raised.value.message


@pytest.mark.parametrize("url", ["nonsense://x", "socket://nowhere", "socket://127.0.0.1:99999999"])
def test_an_impossible_url_is_refused(url: str) -> None:
    with pytest.raises(TinyproofError) as raised:
        Link(url, PortPolicy(), 0.1, 0)
    assert url in raised.value.message


def test_real_hardware_needs_a_port(build_dir: Path) -> None:
    with pytest.raises(UsageError) as raised:
        check(BOARD, build_dir, None, SHORT)
    assert "--port" in raised.value.message


@pytest.mark.parametrize("damage", [str.upper, lambda text: text[:-9], lambda text: text.replace("out", "o")])
def test_damaged_vectors_are_refused(build_dir: Path, damage: Callable[[str], str]) -> None:
    path = build_dir / "vectors.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(UsageError) as raised:
        check(BOARD, build_dir, "socket://127.0.0.1:9", SHORT)
    assert "vectors.json is damaged" in raised.value.message
