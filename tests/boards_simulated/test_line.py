# SPDX-License-Identifier: Apache-2.0
"""What the line carries while an input is loaded, on a board whose UART takes as long for a byte as a real one."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import pytest
from support.compiled import compiled
from support.op_rows.pooling import VALID, pool

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.firmware.platformio_build import build
from tinyproof.host.session import open_session
from tinyproof.host.transport.speed import HOLD_S, MARGIN_S

UNO = find_board("sim-uno")
ROWS = 32  # of 16: 512 bytes of input, a quarter of the board's RAM
# Ten bits of a byte, at 16 MHz / 8 / (UBRR + 1) as Serial.begin sets it.
BYTE_CYCLES = {115_200: 10 * 8 * 17, 250_000: 10 * 8 * 8}
LOADS = 8


@pytest.fixture(scope="module")
def uno_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("line") / "pool"
    compiled(folder, pool("MAX_POOL_2D", (1, ROWS, 16, 1), (ROWS, 16), (1, 1), VALID))
    build(UNO, folder)
    return folder


@pytest.mark.parametrize(
    ("form", "payload"),
    [({}, 0.9), ({"binary_bytes": 0}, 0.33)],  # of a hex line of 64 bytes the frame is a third
    ids=["binary", "hex"],
)
@pytest.mark.parametrize("baud", BYTE_CYCLES)
def test_the_uart_is_busy_while_an_input_is_loaded(
    uno_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any], payload: float, baud: int
) -> None:
    log = tmp_path / "uart.log"
    monkeypatch.setenv("TINYPROOF_UART_LOG", str(log))
    content = bytes(range(256)) * 2
    with open_session(UNO, uno_build, None, CheckConfig(timeout_s=20.0, baud=baud)) as session:
        session.inference.greet()
        assert session.client.speed.present == baud
        inference = session.inference
        inference.info = dataclasses.replace(inference.info, **form)
        raw = cycles = 0
        for _ in range(LOADS):
            before = len(log.read_text().splitlines())
            inference._load(content)
            rows = [line.split() for line in log.read_text().splitlines()[before:]]
            raw += sum(direction == "<" for _, direction, _ in rows)
            cycles += int(rows[-1][0]) - int(rows[0][0])  # how soon this machine begins the next one is not counted
        assert inference.by_parts(content).output == bytes([127])
        assert session.client.repeats == 0, "the receiver has lost something"
    assert LOADS * len(content) / raw >= payload
    if baud == min(BYTE_CYCLES):  # a faster line may wait for this machine
        assert raw * BYTE_CYCLES[baud] / cycles >= 0.85


def test_a_speed_that_it_cannot_keep_pace_with_is_given_up(uno_build: Path) -> None:
    with open_session(UNO, uno_build, None, CheckConfig(baud=1_000_000)) as session:
        assert session.inference.by_parts(bytes(range(256)) * 2).output == bytes([127])
        assert session.client.speed.present == 115_200
        assert session.client.speed.note.startswith("requests were not answered at 1,000,000 baud")


def test_a_board_goes_back_to_its_base_by_itself(
    uno_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "uart.log"
    monkeypatch.setenv("TINYPROOF_UART_LOG", str(log))

    def byte_cycles() -> int:
        """Between the last two bytes that the board sent."""
        sent = [int(row.split()[0]) for row in log.read_text().splitlines() if " > " in row]
        return sent[-1] - sent[-2]

    with open_session(UNO, uno_build, None, CheckConfig(timeout_s=20.0, baud=250_000)) as session:
        slow = byte_cycles()
        session.inference.greet()
        fast = byte_cycles()
        assert fast < slow * 0.6
        time.sleep(HOLD_S * 0.75)  # of the emulator's time, too: it sleeps with a core that sleeps
        session.client._ask_once("info", 5.0)
        assert byte_cycles() == pytest.approx(fast, rel=0.1)
        time.sleep(HOLD_S + MARGIN_S)
        session.client._ask_once("info", 5.0)
        assert byte_cycles() == pytest.approx(slow, rel=0.1)
