# SPDX-License-Identifier: Apache-2.0
"""What a user sees when a real board misbehaves around an upload; each board here is scripted, on a pty."""

from __future__ import annotations

import dataclasses
import fcntl
import os
from collections.abc import Callable

import pytest
from support.fake_build import ID
from support.scripted_board import OTHER_ID, ListedPort, ScriptedBoard, make_device

from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.host.protocol.messages import parse_info
from tinyproof.host.targets.flash import Flashed, choose_port, flash
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of
from tinyproof.host.transport.usb import Plugged, list_plugged

QUICK = CheckConfig(timeout_s=0.3, retries=2)
NANO, NANO_BOOT = (0x2341, 0x805A), (0x2341, 0x005A)
CP210X = (0x10C4, 0xEA60)


class Bus:
    """The ports that are plugged in now."""

    def __init__(self, *ports: ListedPort) -> None:
        self.ports = list(ports)

    def plugged(self) -> list[Plugged]:
        return list_plugged(lambda: self.ports)


def impatient(name: str) -> Board:
    """The board's own file, with a shorter patience."""
    board = find_board(name)
    return dataclasses.replace(board, serial=dataclasses.replace(board.serial, returns_s=0.3, settle_s=0.0))


def run(board: Board, bus: Bus, port: str, upload: Callable[[str], None], identity: str = ID) -> Flashed:
    return flash(board, identity, port, upload, QUICK, bus.plugged)


def test_nano_that_comes_back_under_another_name_is_found_by_its_serial_number() -> None:
    with ScriptedBoard(make_device()) as ours, ScriptedBoard(make_device(OTHER_ID)) as neighbour:
        bus = Bus(
            ListedPort("/dev/ttyACM0", *NANO, "A1"),
            ListedPort(neighbour.port, *NANO, "B2"),  # another Nano that must not be taken for it
        )

        def upload(port: str) -> None:
            assert port == "/dev/ttyACM0"
            bus.ports = [ListedPort(neighbour.port, *NANO, "B2"), ListedPort(ours.port, *NANO, "A1")]

        flashed = run(impatient("nano33ble"), bus, "/dev/ttyACM0", upload)
    assert (flashed.port, flashed.info.model, flashed.info.board) == (ours.port, ID, "nano33ble")


def test_nano_that_passes_through_its_bootloader_is_waited_for() -> None:
    with ScriptedBoard(make_device()) as ours:
        bus = Bus(ListedPort("/dev/ttyACM0", *NANO, "A1"))
        looks = 0

        def plugged() -> list[Plugged]:
            nonlocal looks
            looks += 1
            if looks == 3:
                bus.ports = [ListedPort("/dev/ttyACM1", *NANO_BOOT, "A1")]
            if looks == 4:
                bus.ports = [ListedPort(ours.port, *NANO, "A1")]
            return bus.plugged()

        def upload(port: str) -> None:
            bus.ports = []

        flashed = flash(find_board("nano33ble"), ID, "/dev/ttyACM0", upload, QUICK, plugged)
    assert flashed.port == ours.port


def test_board_stuck_in_its_bootloader_says_which_button() -> None:
    bus = Bus(ListedPort("/dev/ttyACM0", *NANO, "A1"))

    def upload(port: str) -> None:
        bus.ports = [ListedPort("/dev/ttyACM1", *NANO_BOOT, "A1")]

    with pytest.raises(BoardError) as caught:
        run(impatient("nano33ble"), bus, "/dev/ttyACM0", upload)
    assert caught.value.message == (
        "nano33ble stays in its bootloader (2341:005a on /dev/ttyACM1) 0.3 s after the upload; "
        "press reset once; a double press enters the bootloader, then flash again"
    )
    assert caught.value.exit_code == 3


def test_board_that_never_comes_back() -> None:
    bus = Bus(ListedPort("/dev/ttyACM0", *NANO, "A1"))

    def upload(port: str) -> None:
        bus.ports = []

    with pytest.raises(BoardError) as caught:
        run(impatient("nano33ble"), bus, "/dev/ttyACM0", upload)
    assert caught.value.message == (
        "nano33ble was on /dev/ttyACM0 and has not come back in 0.3 s; press reset, or unplug it and plug it in"
    )


def test_board_that_still_runs_another_model() -> None:
    with ScriptedBoard(make_device(OTHER_ID)) as board:
        bus = Bus(ListedPort(board.port, *NANO, "A1"))
        with pytest.raises(BoardError) as caught:
            run(impatient("nano33ble"), bus, board.port, lambda port: None)
    assert caught.value.message == (
        f"the upload went through, but nano33ble on {board.port} still runs model {OTHER_ID}, not {ID}; "
        "press reset and run ./tinyproof flash again; where it still does, its flash is locked"
    )


BOOT_LOG = (
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"\xe0\x8e\xff\x00 configsip: 0, SPIWP:0xee\r\nload:0x3fff0030,len:1184\r\n# tinyproof esp32 compiled\r\n"
)


def test_esp32_that_resets_on_open_and_prints_a_boot_log_is_heard_out() -> None:
    board = find_board("esp32")
    with ScriptedBoard(make_device(board="esp32"), boot_log=BOOT_LOG, boot_s=1.2) as scripted:
        bus = Bus(ListedPort(scripted.port, *CP210X, "0001"))
        flashed = run(board, bus, scripted.port, lambda port: None)
        assert scripted.resets == 1  # opened once: it is not reset over and over
    assert (flashed.info.board, flashed.info.model) == ("esp32", ID)


def test_esp32_bridges_open_with_dtr_and_rts_off_and_usb_cdc_with_dtr_on() -> None:
    for name in ("esp32", "esp32_tflm"):
        assert (policy_of(find_board(name)).dtr, policy_of(find_board(name)).rts) == (False, False)
    for name in ("nano33ble", "nano33ble_tflm"):
        assert policy_of(find_board(name)).dtr is True


@pytest.mark.parametrize("before", [b"AT\r", b"AT+GCAP\r\nATI\r\nAT", b"\x7e\x00\x78\xf0\x7e" * 60])
def test_modem_managers_bytes_do_not_spoil_the_first_request(before: bytes) -> None:
    with (
        ScriptedBoard(make_device(), before=before) as board,
        Link(board.port, policy_of(impatient("nano33ble")), 0.5, 0) as link,
    ):
        assert parse_info(link.request("info")).model == ID
        assert link.repeats == 0


def test_port_locked_by_another_program() -> None:
    with ScriptedBoard(make_device()) as board:
        theirs = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(theirs, fcntl.LOCK_EX)
        try:
            with pytest.raises(BoardError) as caught:
                run(impatient("nano33ble"), Bus(), board.port, lambda port: None)
        finally:
            os.close(theirs)
    assert caught.value.message == (
        f"port {board.port} is busy: another program holds it; close it (a serial monitor, ModemManager) and try again"
    )


def test_port_is_chosen_only_where_there_is_one_candidate() -> None:
    nano = find_board("nano33ble")
    one = Bus(
        ListedPort("/dev/ttyACM0", *NANO, "A1"),
        ListedPort("/dev/ttyUSB0", *CP210X),
        ListedPort("/dev/ttyS0", None, None),
    )
    assert choose_port(nano, None, one.plugged()) == "/dev/ttyACM0"
    assert choose_port(nano, "/dev/ttyACM7", []) == "/dev/ttyACM7"
    two = Bus(ListedPort("/dev/ttyACM0", *NANO, "A1"), ListedPort("/dev/ttyACM1", *NANO))
    with pytest.raises(BoardError) as caught:
        choose_port(nano, None, two.plugged())
    assert caught.value.message == (
        "more than one port may be nano33ble: /dev/ttyACM0 (serial number A1), /dev/ttyACM1 (serial number unknown); "
        "say which: --port"
    )
    with pytest.raises(BoardError) as caught:
        choose_port(nano, None, Bus(ListedPort("/dev/ttyUSB0", *CP210X)).plugged())
    assert caught.value.message == (
        "no nano33ble is plugged in (USB serial ports here: /dev/ttyUSB0 10c4:ea60); plug it in with a cable that "
        "carries data, or give --port; ./tinyproof doctor knows more"
    )
    with pytest.raises(UsageError, match="is not flashed"):
        choose_port(find_board("qemu-cortex-m4"), None, [])
