# SPDX-License-Identifier: Apache-2.0
"""Inputs in a window of loads, in hex and as they are, over sound lines and bad ones, to the firmware's code and to the
device model; and a host or a device of before there was either."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.fake_build import ID
from support.faulty_board import Answering, Faults, FaultyBoard
from support.protocol_driver import DriverDevice, compile_driver, driver_answers
from support.single_device import single_device

from tinyproof.core.errors import BoardError
from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.inference import Inference
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.protocol.framing import crc16, escape, frame_binary, unescape
from tinyproof.host.protocol.messages import parse_info
from tinyproof.host.transport.client import DeviceError, Link, SilentBoardError
from tinyproof.host.transport.ports import PortPolicy

IN_BYTES, OUT_BYTES = 3000, 80
X = TensorSpec("x", [1, IN_BYTES], "int8", 0.1, 0, IN_BYTES)
Y = TensorSpec("y", [1, OUT_BYTES], "int8", 0.1, 0, OUT_BYTES)
# Of `info`, what the host is to see: lines in hex that fill several windows, and bytes in frames that do.
FORMS: dict[str, dict[str, Any]] = {
    "hex, one by one": {"binary_bytes": 0, "window_bytes": 0},
    "hex": {"binary_bytes": 0, "window_bytes": 700},
    "binary": {"binary_bytes": 200, "window_bytes": 700},
    "binary, one by one": {"binary_bytes": 200, "window_bytes": 0},
}
StartBoard = Callable[..., FaultyBoard]
BAUD = PortPolicy(baud=4_000_000)  # so that what the line itself takes is no part of a time-out


def model_device(**options: int) -> Device:
    return single_device(ID, X, Y, lambda content: driver_answers(content, OUT_BYTES), line_bytes=128, **options)


@pytest.fixture(params=["firmware", "model"])
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    if request.param == "model":
        yield model_device()
        return
    with DriverDevice(compile_driver(tmp_path_factory), IN_BYTES, OUT_BYTES) as driver:
        yield driver


@contextmanager
def talking(board: FaultyBoard, form: dict[str, Any], timeout_s: float, retries: int) -> Iterator[Inference]:
    with Link(board.port, BAUD, timeout_s, retries) as link:
        info = dataclasses.replace(parse_info(link.request("info")), **form)
        layouts = TensorLayout((X,)), TensorLayout((Y,))
        yield Inference(link, info, layouts, lambda: parse_info(link.request("info")))


def inputs(count: int) -> list[bytes]:
    rng = random.Random(5)
    return [bytes([rng.randrange(40)]) + rng.randbytes(IN_BYTES - 1) for _ in range(count)]


@pytest.mark.parametrize("form", FORMS)
def test_inputs_arrive_whole(device: Answering, start_board: StartBoard, form: str) -> None:
    loaded: list[int] = []
    with talking(start_board(device=device), FORMS[form], 20.0, 3) as inference:
        inference.on_part = loaded.append
        for content in inputs(2):
            assert inference.by_parts(content).output == driver_answers(content, OUT_BYTES)
        assert inference.link.repeats == 0
    assert loaded == 2 * sorted(loaded[: len(loaded) // 2])
    assert loaded[-1] == IN_BYTES


FAULTS = {
    "drop": {"drop": 0.1},
    "garble": {"garble": 0.1},
    "garble-request": {"garble_request": 0.1},
    "duplicate": {"duplicate": 0.5},
    "join": {"join": 0.3},
    "late": {"delay": 0.15, "delay_s": 0.12},
    "all": {"drop": 0.02, "garble": 0.02, "garble_request": 0.04, "duplicate": 0.2, "join": 0.02},
}


def waits_for_long(form: str, name: str) -> bool:
    return "one by one" in form or (form, name) == ("hex", "late")


@pytest.mark.parametrize(
    ("fault", "form"),
    [
        pytest.param(
            fault, form, id=f"{name}-{form}", marks=[pytest.mark.nightly] if waits_for_long(form, name) else []
        )
        for name, fault in FAULTS.items()
        for form in FORMS
    ],
)
def test_a_bad_line_is_overcome(device: Answering, start_board: StartBoard, form: str, fault: dict[str, float]) -> None:
    board = start_board(Faults(seed=len(form), **fault), device)  # type: ignore[arg-type]
    with talking(board, FORMS[form], 0.05, 20) as inference:
        for content in inputs(3):
            assert inference.by_parts(content).output == driver_answers(content, OUT_BYTES)
        assert board.spoiled == 0 or inference.link.repeats > 0
    if fault.keys() != {"join"}:  # two become one where the board takes both at once, which is a matter of time
        assert board.spoiled + board.duplicated > 0


@pytest.mark.parametrize("form", ["hex", "binary"])
@pytest.mark.parametrize("at", [2, 5, 9])
def test_a_restart_midway_begins_anew(device: Answering, start_board: StartBoard, form: str, at: int) -> None:
    board = start_board(Faults(reset_at=(at,)), device)
    with talking(board, FORMS[form], 0.5, 3) as inference:
        for content in inputs(2):
            assert inference.by_parts(content).output == driver_answers(content, OUT_BYTES)
        assert inference.resets == 1


def test_a_board_slower_than_the_time_out_is_heard(start_board: StartBoard) -> None:
    board = start_board(Faults(delay=1.0, delay_s=0.03), model_device())
    with Link(board.port, BAUD, 0.5, 3) as link:
        info = dataclasses.replace(parse_info(link.request("info")), binary_bytes=1500, window_bytes=4000)
        inference = Inference(link, info, (TensorLayout((X,)), TensorLayout((Y,))), lambda: info)
        link.timeout_s = 0.02
        inference._load(inputs(1)[0])
        assert link.repeats > 0
        link.timeout_s = 0.5
        assert inference.by_parts(inputs(1)[0]).output == driver_answers(inputs(1)[0], OUT_BYTES)


def test_no_more_is_on_its_way_than_the_window(start_board: StartBoard) -> None:
    class Watched(Device):
        most = waiting = 0

        def answer(self, line: bytes) -> bytes:
            self.waiting -= len(line) + 1
            return super().answer(line)

    device = Watched(ID, TensorLayout((X,)), TensorLayout((Y,)), lambda content: content[:OUT_BYTES], line_bytes=128)
    with talking(start_board(device=device), FORMS["binary"], 20.0, 3) as inference:
        write = inference.link._port.write

        def counted(content: bytes) -> None:
            device.waiting += len(content)
            device.most = max(device.most, device.waiting)
            write(content)

        inference.link._port.write = counted
        inference.by_parts(inputs(1)[0])
    assert 400 < device.most <= 700


def test_a_device_that_refuses_says_why(start_board: StartBoard) -> None:
    with talking(start_board(device=model_device()), FORMS["binary"], 20.0, 3) as inference:
        lines = [lambda seq: frame_binary(0, bytes(10), seq), lambda seq: frame_binary(11, bytes(10), seq)]
        with pytest.raises(DeviceError) as raised:
            inference.link.in_window(lines, 700)
        assert raised.value.code == 5
        assert "`load 11`" in raised.value.message
        assert inference.by_parts(inputs(1)[0]).output == driver_answers(inputs(1)[0], OUT_BYTES)


def test_silence_in_a_window_ends_in_words(start_board: StartBoard) -> None:
    board = start_board(device=model_device())
    with talking(board, FORMS["binary"], 0.05, 3) as inference:
        board.faults.silent = True
        with pytest.raises(SilentBoardError, match=r"no answer from .* to `load 0` in 4 attempts"):
            inference.by_parts(inputs(1)[0])


def test_a_connection_that_closes_within_a_window_ends_in_words(start_board: StartBoard) -> None:
    board = start_board(Faults(close_at=4), model_device())
    with talking(board, FORMS["binary"], 0.2, 3) as inference, pytest.raises(BoardError, match="closed during `load"):
        inference.by_parts(inputs(1)[0])


def test_a_device_of_before_is_asked_as_before(start_board: StartBoard) -> None:
    asked: list[bytes] = []

    class Old(Device):
        def answer(self, line: bytes) -> bytes:
            asked.append(line)
            return super().answer(line)

    def run(content: bytes) -> bytes:
        return driver_answers(content, OUT_BYTES)

    device = Old(ID, TensorLayout((X,)), TensorLayout((Y,)), run, line_bytes=128, binary_bytes=0)
    with talking(start_board(device=device), {}, 20.0, 3) as inference:
        assert (inference.info.binary_bytes, inference.info.window_bytes) == (0, 0)
        assert inference.by_parts(inputs(1)[0]).output == driver_answers(inputs(1)[0], OUT_BYTES)
    assert sum(b" load " in line for line in asked) > IN_BYTES // 64
    assert not any(b":" in line for line in asked)


def test_what_is_escaped_comes_back() -> None:
    content = bytes(range(256))
    assert unescape(escape(content)) == content
    assert len(escape(content)) == 256 + 4
    assert not set(escape(content)) & set(b"\n\r*")
    assert unescape(b"12}") is None
    line = frame_binary(7, content, 3)
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")
    assert line[-5:-1] == b"%04X" % crc16(line[:-6])
