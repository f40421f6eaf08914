# SPDX-License-Identifier: Apache-2.0
"""What the line carries while an input is loaded, on a board whose UART takes as long for a byte as a real one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from support.compiled import compiled
from support.op_rows.pooling import VALID, pool

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.firmware.platformio_build import build
from tinyproof.host.session import open_session

UNO = find_board("sim-uno")
ROWS = 32  # of 16: 512 bytes of input, a quarter of the board's RAM
BYTE_CYCLES = 10 * 8 * 17  # ten bits of a byte, at 16 MHz / 8 / (UBRR + 1): what Serial.begin(115200) sets
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
def test_the_uart_is_busy_while_an_input_is_loaded(
    uno_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any], payload: float
) -> None:
    log = tmp_path / "uart.log"
    monkeypatch.setenv("TINYPROOF_UART_LOG", str(log))
    content = bytes(range(256)) * 2
    with open_session(UNO, uno_build, None, CheckConfig(timeout_s=20.0)) as session:
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
    assert raw * BYTE_CYCLES / cycles >= 0.85
