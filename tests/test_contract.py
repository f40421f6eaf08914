# SPDX-License-Identifier: Apache-2.0
"""Configuration and boards: what they accept, and how they refuse. Exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from support.contracts import assert_one_plain_line

from tinyproof.cli import main as cli
from tinyproof.core.board_spec import BOARDS, all_boards, find_board, read_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import InputFileError, UsageError


def test_no_file_means_the_lesson(tmp_path: Path) -> None:
    config = load_config(tmp_path / "tinyproof.toml")
    assert config == Config()
    assert (config.train.w, config.train.b, config.train.learning_rate, config.train.steps) == (10, -10, 0.01, 500)


def test_a_file_overlays_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "tinyproof.toml"
    path.write_text('board = "reference"\n[train]\nsteps = 20\nw = 3\n[check]\npoints = [1, 2.5]\n')
    config = load_config(path)
    assert config.board == "reference"
    assert (config.train.steps, config.train.w, config.train.b) == (20, 3.0, -10.0)
    assert isinstance(config.train.w, float)
    assert config.check.points == (1.0, 2.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[train]\nstep = 3\n", "did you mean train.steps?"),
        ("[train]\nsteps = true\n", "train.steps must be int"),
        ('[train]\nsteps = "x"\n', "train.steps must be int"),
        ("train = 3\n", "train must be a table"),
        ("[check]\npoints = 3\n", "check.points must be a list"),
        ('[check]\npoints = ["a"]\n', "check.points must be float"),
        ("[train\n", "line 1"),
        ("colour = 1\n", "unknown key colour"),
        ("[train]\nw = nan\nW = 1\n", "unknown key train.W; did you mean train.w?"),
        ('[train]\ndata = ["a.csv"]\n', "train.data must be str, not a list"),
        (f"[train]\nsteps = 0x{'F' * 5000}\n", "train.steps must be int of 64 bits, not one of 20000 bits"),
        (f'"{"e" * 90}\\u001b[31m" = 1\n', f"unknown key {'e' * 37}...;"),
        ("x = [" + "[" * 5000 + "]" * 5000 + "]", "tinyproof.toml: "),
    ],
)
def test_a_bad_file_is_named_with_the_key(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "tinyproof.toml"
    path.write_text(text)
    with pytest.raises(InputFileError) as raised:
        load_config(path)
    assert says in raised.value.message
    assert raised.value.message.startswith("tinyproof.toml: ")
    assert_one_plain_line(raised.value.message)
    assert raised.value.exit_code == 4


DEFAULT_BOARD = (BOARDS / "qemu-cortex-m4.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "changed", "says"),
    [
        ('kind = "simulated"', 'knd = "simulated"', "unknown key knd; did you mean kind?"),
        ("[build]\n", "[biuld]\n", "unknown key biuld; did you mean build?"),
        ("toolchain =", "toolchian =", "unknown key build.toolchian; did you mean build.toolchain?"),
        ("stack_bytes = 2048", "stack = 2048", "unknown key memory.stack; did you mean memory.stack_bytes?"),
        ("[emulator]\n", "[serial]\nbuad = 9600\n[emulator]\n", "unknown key serial.buad; did you mean serial.baud?"),
        (
            'package = "qemu-system-arm"',
            "colour = 1",
            "unknown key emulator.colour; known keys: command, package, in",
        ),
        (
            'kind = "simulated"',
            'kind = "simulatd"',
            "must be simulated, serial or host, not 'simulatd'; did you mean s",
        ),
        ('kind = "simulated"', "kind = []", "kind must be simulated, serial or host, not a list"),
        ('tick_unit = "insn"', 'tick_unit = "ms"', "tick_unit must be insn, cycle or us, not 'ms'"),
        (
            'isa = "armv7e-m"',
            'isa = "a"\nengine = "tlfm"',
            "engine must be compiled, tflm or reference, not 'tlfm'; d",
        ),
        ('isa = "armv7e-m"', 'isa = "a"\nhidden = 1', "hidden must be bool, not 1"),
        ("ram_bytes = 0x400000", 'ram_bytes = "4M"', "memory.ram_bytes must be int, not '4M'"),
        ("ram_bytes = 0x400000", "ram_bytes = 4.0", "memory.ram_bytes must be int, not 4.0"),
        ("ram_bytes = 0x400000", "ram_bytes = true", "memory.ram_bytes must be int, not True"),
        ("HAL_UART_IRQ = 0", 'HAL_UART_IRQ = "0"', "build.defines.HAL_UART_IRQ must be int, not '0'"),
        ('"-display", "none", ', '"-display", 0, ', "emulator.command must be str, not 0"),
        ('linker_script = "cortex_m.ld"', 'linker_script = "cortex_m.ld"\nhal = "startup_cortex_m.c"', "line "),
        ("[memory]\n", "[serial]\nusb_ids = '2341:805a'\n[memory]\n", "serial.usb_ids must be a list, not '2341:805a'"),
        ('isa = "armv7e-m"\n', 'isa = "a"\nserial = 9600\n', "serial must be a table, not 9600"),
        ('description = "Cortex-M4F, QEMU mps2-an386 (default)"\n', "", "missing key description"),
        ("ram_bytes = 0x400000\n", "", "missing key memory.ram_bytes"),
        ('toolchain = "arm-none-eabi-"\n', "", "missing key build.toolchain; a simulated board needs it"),
        ("ram_origin = 0x20000000\n", "", "missing key memory.ram_origin; a simulated board needs it"),
        ("stack_bytes = 2048\n", "", "missing key memory.stack_bytes; a simulated board needs it"),
        ('linker_script = "cortex_m.ld"', "", "missing key build.linker_script"),
        ('linker_script = "cortex_m.ld"', 'framework = "arduino_avr"', "missing key build.core"),
        ('isa = "armv7e-m"', 'isa = "a"\nname = "other"', "name must be 'mine', as the file is called"),
        ("[memory]", "[memory", "line "),
    ],
)
def test_a_bad_board_is_named_with_the_key(tmp_path: Path, text: str, changed: str, says: str) -> None:
    assert text in DEFAULT_BOARD
    path = tmp_path / "mine.toml"
    path.write_text(DEFAULT_BOARD.replace(text, changed, 1), encoding="utf-8")
    with pytest.raises(InputFileError) as raised:
        read_board(path)
    assert says in raised.value.message
    assert raised.value.message.startswith("firmware/boards/mine.toml: ")
    assert_one_plain_line(raised.value.message)
    assert raised.value.exit_code == 4


def test_a_bad_board_is_one_line_for_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text(DEFAULT_BOARD.replace("[emulator]", "[emulater]"), encoding="utf-8")
    monkeypatch.setattr("tinyproof.core.board_spec.BOARDS", tmp_path)
    all_boards.cache_clear()
    try:
        shown = CliRunner().invoke(cli.main, ["boards"])
    finally:
        all_boards.cache_clear()
    assert shown.exit_code == 4
    assert shown.output == ("Error: firmware/boards/mine.toml: unknown key emulater; did you mean emulator?\n")


def test_every_board_says_all_that_its_kind_needs() -> None:
    boards = all_boards()
    assert list(boards) == sorted(boards) == [path.stem for path in sorted(BOARDS.glob("*.toml"))]
    nano = boards["nano33ble"]
    assert (nano.serial.usb_ids, nano.serial.dtr, nano.serial.rts) == (("2341:805a",), True, None)
    assert boards["esp32"].serial.bootloader_remedy == "press reset", "the default"
    assert boards["reference"].memory is None


def test_an_unknown_board_suggests_the_closest() -> None:
    with pytest.raises(UsageError, match="did you mean qemu-cortex-m4"):
        find_board("qemu-cortex-4")
    with pytest.raises(UsageError, match=r"boards: .*qemu-cortex-m4"):
        find_board("zzzzzz")


def test_exit_codes_reach_the_shell() -> None:
    run = CliRunner()
    assert run.invoke(cli.main, ["--help"]).exit_code == 0
    assert run.invoke(cli.main, ["nonsense"]).exit_code == 2
    unknown = run.invoke(cli.main, ["check", "--board", "nonsense"])
    assert unknown.exit_code == 2
    assert len(unknown.output.strip().splitlines()) == 1
