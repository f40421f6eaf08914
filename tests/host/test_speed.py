# SPDX-License-Identifier: Apache-2.0
"""A line that changes its speed, and every way in which that can go wrong: the answers are right all the same."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.fake_build import BOARD, ID, X, Y, line
from support.faulty_board import Answering, Faults
from support.protocol_driver import compile_driver, driver_answers
from support.single_device import single_device
from support.speeds import BASE, AtSpeeds, DriverWithSpeeds, SpeedyBoard, Uart, speedy_model

from tinyproof.core.config import CheckConfig
from tinyproof.core.manifest import TensorSpec
from tinyproof.core.paths import FIRMWARE
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.check import check
from tinyproof.host.inference import Inference
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.protocol.messages import parse_info
from tinyproof.host.transport import speed
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import PortPolicy

FAST = 921_600
HOLD_S, MARGIN_S = 0.6, 0.2  # a busy machine may keep a test waiting for the difference of the two
IN_BYTES, OUT_BYTES = 1500, 80
WIDE_X = TensorSpec("x", [1, IN_BYTES], "int8", 0.1, 0, IN_BYTES)
WIDE_Y = TensorSpec("y", [1, OUT_BYTES], "int8", 0.1, 0, OUT_BYTES)
INFO, CHANGE, PING = 1, 2, 3  # the requests by their number; four pings, then what was wanted


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOLD_S", HOLD_S), ("MARGIN_S", MARGIN_S), ("PING_S", 0.3), ("REFUSED_WITHIN_S", 0.3)):
        monkeypatch.setattr(speed, name, value)


# What is written apart answers alike (tests/firmware/test_protocol_page.py): by day, one of the two.
@pytest.fixture(params=["firmware", pytest.param("model", marks=pytest.mark.nightly)])
def device(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Answering, Uart]]:
    uart = Uart(HOLD_S)
    if request.param == "firmware":
        with DriverWithSpeeds(compile_driver(tmp_path_factory), IN_BYTES, OUT_BYTES, uart) as driver:
            yield driver, uart
    else:
        yield wide_model(uart), uart


def wide_model(uart: Uart) -> Device:
    model = single_device(
        *(ID, WIDE_X, WIDE_Y, lambda content: driver_answers(content, OUT_BYTES)), line_bytes=128, window_bytes=700
    )
    return speedy_model(model, uart)


@contextmanager
def talking(
    device: tuple[Answering, Uart], faults: Faults | None = None, *, baud: int = FAST, retries: int = 3, **options: Any
) -> Iterator[tuple[Inference, AtSpeeds]]:
    """`bears`: the speeds at which something comes through."""
    behind = AtSpeeds(*device, options.get("bears", lambda baud: True))
    with (
        SpeedyBoard(behind, faults or Faults()) as board,
        Link(board.port, PortPolicy(), options.get("timeout_s", 0.25), retries) as link,
    ):
        info = dataclasses.replace(parse_info(link.request("info")), binary_bytes=200, window_bytes=700)
        link.speed.want(baud, info.base_baud)
        layouts = TensorLayout((WIDE_X,)), TensorLayout((WIDE_Y,))
        behind.restart = board.restart
        yield Inference(link, info, layouts, lambda: parse_info(link.request("info"))), behind


def inputs(count: int) -> list[bytes]:
    rng = random.Random(7)
    return [bytes([rng.randrange(40)]) + rng.randbytes(IN_BYTES - 1) for _ in range(count)]


def all_right(inference: Inference, count: int = 2) -> None:
    for content in inputs(count):
        assert inference.by_parts(content).output == driver_answers(content, OUT_BYTES)


def test_a_line_that_bears_it_is_faster(device: tuple[Answering, Uart], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "HOLD_S", 20.0)
    device[1].hold_s = 20.0
    with talking(device, timeout_s=20.0) as (inference, behind):
        all_right(inference)
        assert (inference.link.speed.present, inference.link.speed.note) == (FAST, "")
        assert (inference.link.repeats, inference.resets, behind.noise) == (0, 0, 0)
        assert behind.at[:PING] == [BASE, BASE, FAST]
        assert set(behind.at[PING:]) == {FAST}
    assert device[1].baud == BASE, "the next program finds it where it is looked for"


def test_a_line_that_does_not_bear_it_stays(device: tuple[Answering, Uart]) -> None:
    with talking(device, bears=lambda baud: baud == BASE) as (inference, behind):
        all_right(inference)
        assert inference.link.speed.note == "what is sent does not come back at 921,600 baud: the line is at 115,200"
        assert set(behind.at) == {BASE}
        assert behind.noise > 0
        assert device[1].baud == BASE


@pytest.mark.parametrize("last", [8, 15])
def test_a_line_that_bears_it_no_more_goes_back(device: tuple[Answering, Uart], last: int) -> None:
    heard: list[int] = []
    with talking(device, bears=lambda baud: baud == BASE or len(heard) < last) as (inference, behind):
        heard = behind.at  # the lambda sees it from now on
        all_right(inference)
        assert inference.link.speed.note == "requests were not answered at 921,600 baud: the line is at 115,200"
        assert inference.link.speed.present == device[1].baud == behind.at[-1] == BASE
        assert FAST in behind.at


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": 0.1},
        {"garble": 0.1},
        {"garble_request": 0.1},
        {"duplicate": 0.5},
        {"delay": 0.15, "delay_s": 0.12},
        {"drop": 0.02, "garble": 0.02, "garble_request": 0.04, "duplicate": 0.2},
    ],
    ids=["drop", "garble", "garble-request", "duplicate", "late", "all"],
)
def test_a_bad_line_is_overcome(device: tuple[Answering, Uart], fault: dict[str, float]) -> None:
    with talking(device, Faults(seed=4, **fault), retries=20, timeout_s=0.05) as (inference, _):  # type: ignore[arg-type]
        all_right(inference)


@pytest.mark.parametrize("lost", [{"drop_at": (CHANGE,)}, {"garble_request_at": (CHANGE,)}, {"drop_at": (PING,)}])
def test_a_change_survives_what_is_lost_once(device: tuple[Answering, Uart], lost: dict[str, Any]) -> None:
    with talking(device, Faults(**lost)) as (inference, _):
        all_right(inference)
        assert (inference.link.speed.present, inference.link.speed.note) == (FAST, "")


@pytest.mark.parametrize(
    "at", [CHANGE, PING + 3, *(pytest.param(at, marks=pytest.mark.nightly) for at in (PING, PING + 4, PING + 6))]
)
def test_a_restart_midway_is_noticed(device: tuple[Answering, Uart], at: int) -> None:
    with talking(device, Faults(reset_at=(at,))) as (inference, _):
        all_right(inference)
        assert inference.resets > 0
        assert device[1].baud == inference.link.speed.present


def test_a_board_that_is_left_alone_is_found_again(device: tuple[Answering, Uart]) -> None:
    with talking(device) as (inference, behind):
        all_right(inference, 1)
        for pause_s in (HOLD_S / 4, HOLD_S, 2 * HOLD_S):
            time.sleep(pause_s)
            all_right(inference, 1)
        assert (inference.link.repeats, inference.resets, behind.noise) == (0, 0, 0)
        assert behind.at.count(BASE) == 4, "it goes back twice, and is asked to change three times"
        assert behind.at[-1] == FAST


@pytest.mark.parametrize("pause_s", [0.0, 2 * HOLD_S])
def test_a_restart_while_nobody_asks_is_noticed(device: tuple[Answering, Uart], pause_s: float) -> None:
    with talking(device) as (inference, behind):
        all_right(inference, 1)
        behind.restart()
        time.sleep(pause_s)
        all_right(inference, 1)
        assert inference.resets > 0
        assert device[1].baud == inference.link.speed.present


def test_a_host_that_died_leaves_a_board_that_answers(device: tuple[Answering, Uart]) -> None:
    behind = AtSpeeds(*device, lambda baud: True)
    with SpeedyBoard(behind, Faults()) as board:
        killed = Link(board.port, PortPolicy(), 0.25, 3)
        killed.speed.want(FAST, parse_info(killed.request("info")).base_baud)
        killed.request("info")
        assert behind.at[-1] == FAST
        killed._port.close()
        with Link(
            board.port, PortPolicy(), 0.25, 6
        ) as link:  # as open_client does with a board that takes time to boot
            assert parse_info(link.request("info")).model
            assert link.repeats > 0


def test_a_computation_that_takes_long_is_waited_for() -> None:
    uart = Uart(HOLD_S)

    def slow(content: bytes) -> bytes:
        time.sleep(HOLD_S + 0.1)  # longer than the attempts, and than the hold
        return line(content)

    device = speedy_model(single_device(ID, X, Y, slow), uart)
    behind = AtSpeeds(device, uart, lambda baud: True)
    with SpeedyBoard(behind, Faults()) as board, Link(board.port, PortPolicy(), 0.2, 3) as link:
        link.speed.want(FAST, parse_info(link.request("info")).base_baud)
        assert link.request("q 5").startswith("q=")
        assert (link.speed.present, link.speed.note) == (FAST, "")


@pytest.mark.parametrize(
    ("baud", "announces", "note"),
    [
        (2_000_000, True, "the board refuses 2,000,000 baud: the line is at 115,200"),
        (FAST, False, "the board's line has one speed, or its firmware is of before there were more: not 921,600 baud"),
        (BASE, True, ""),
        (BASE, False, ""),
        (0, False, ""),
    ],
)
def test_what_cannot_be_is_said(baud: int, announces: bool, note: str) -> None:
    uart = Uart(HOLD_S)
    device = wide_model(uart)
    if not announces:
        device.base_baud = 0
    with talking((device, uart), baud=baud) as (inference, behind):
        all_right(inference, 1)
        assert (inference.link.speed.present, inference.link.speed.note) == (BASE, note)
        assert behind.noise == 0


def test_a_check_says_at_which_speed_it_was(build_dir: Path) -> None:
    uart = Uart(HOLD_S)
    device = speedy_model(single_device(ID, X, Y, line, board="fake", engine="python"), uart)
    for most, expected in ((FAST, (FAST, "")), (BASE, (0, "what is sent does not come back at 921,600 baud"))):
        behind = AtSpeeds(device, uart, most.__ge__)
        with SpeedyBoard(behind, Faults()) as board:
            fast = dataclasses.replace(BOARD, serial=dataclasses.replace(BOARD.serial, fast_baud=FAST))
            report = check(fast, build_dir, board.port, CheckConfig(timeout_s=20.0))
        assert report.proven
        assert (report.bits.baud, report.bits.line_note.partition(":")[0]) == expected
        assert report.as_dict()["baud"] == report.bits.baud


def test_both_sides_hold_a_speed_for_as_long() -> None:
    assert "#define SPEED_HOLD_S 2U" in (FIRMWARE / "lib" / "hal" / "speed.h").read_text()
    source = Path(speed.__file__).read_text(encoding="utf-8")
    assert "HOLD_S = 2.0" in source
