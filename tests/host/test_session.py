# SPDX-License-Identifier: Apache-2.0
"""The one way to a board: who is greeted, with which patience, and who is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_build import BOARD, ID, QUICK, X, Y, line
from support.faulty_board import Faults, FaultyBoard
from support.scripted_board import ScriptedBoard, make_device
from support.single_device import single_device

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.core.manifest import Manifest, TensorSpec, read_manifest
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.session import layouts_of, open_client, open_session

StartBoard = Callable[..., FaultyBoard]
RECORD = TensorSpec("record", [1, 24], "int8", 1.0, 0, 24)


def test_a_session_knows_the_build_and_the_board(build_dir: Path, start_board: StartBoard) -> None:
    with open_session(BOARD, build_dir, start_board().port, QUICK) as session:
        assert (session.manifest.model, session.x.tensors, session.y.tensors) == ("line", (X,), (Y,))
        assert (session.info.model, session.info.engine) == (ID, "python")
        assert session.inference.from_bytes(b"\x05").q == (line(b"\x05")[0],)
        assert (session.client.requests, session.repeats, session.resets) == (2, 0, 0)


def test_a_restarted_board_is_greeted_again(build_dir: Path, start_board: StartBoard) -> None:
    board = start_board(Faults(reset_at=(3,)))
    with open_session(BOARD, build_dir, board.port, CheckConfig(timeout_s=0.1)) as session:
        assert isinstance(board.device, Device)
        board.device.model_id = "0123456789abcdef"  # somebody flashes it meanwhile
        session.inference.from_bytes(b"\x05")
        with pytest.raises(BoardError, match="runs model 0123456789abcdef"):
            session.inference.from_bytes(b"\x06")
        assert session.resets == 1


def test_the_callers_manifest_decides_and_not_the_one_that_has_come_since(
    build_dir: Path, start_board: StartBoard
) -> None:
    before = read_manifest(build_dir)
    dataclasses.replace(before, model_id="0123456789abcdef").write(build_dir)
    port = start_board().port
    with open_session(BOARD, build_dir, port, QUICK, manifest=before) as session:
        assert session.manifest is before
    with (
        pytest.raises(BoardError, match=r"this build is 0123456789abcdef"),
        open_session(BOARD, build_dir, port, QUICK),
    ):
        pass


@pytest.mark.parametrize(
    ("engine", "output", "greeted"),
    [("profile", RECORD, True), ("compiled", RECORD, False), ("profile", Y, False)],
    ids=["as wanted", "another engine", "another record"],
)
def test_the_profiling_firmware_is_greeted_where_it_is_wanted(
    build_dir: Path, start_board: StartBoard, engine: str, output: TensorSpec, greeted: bool
) -> None:
    port = start_board(device=single_device(ID, X, output, line, engine=engine)).port
    if greeted:
        with open_session(BOARD, build_dir, port, QUICK, record_bytes=RECORD.bytes) as session:
            assert session.info.out_bytes == RECORD.bytes
        return
    with (
        pytest.raises(BoardError, match="does not run the profiling firmware of this build"),
        open_session(BOARD, build_dir, port, QUICK, record_bytes=RECORD.bytes),
    ):
        pass


def test_a_board_that_boots_when_its_port_opens_is_waited_for() -> None:
    """esp32.toml grants seconds; four attempts of 50 ms alone would not outlast this boot."""
    board = find_board("esp32")
    with (
        ScriptedBoard(make_device(board="esp32"), boot_log=b"rst:0x1 (POWERON_RESET)\r\n", boot_s=0.6) as scripted,
        open_client(board, scripted.port, CheckConfig(timeout_s=0.05, retries=3)) as (client, info),
    ):
        assert info.board == "esp32"
        assert client.repeats > 3


def test_a_build_without_tensors_is_not_exported_yet() -> None:
    with pytest.raises(UsageError, match=r"the model net is not exported yet; run \./tinyproof export"):
        layouts_of(Manifest("net"))
