# SPDX-License-Identifier: Apache-2.0
"""The firmware as .bin, .hex and .uf2, against what GNU objcopy makes of the same ELF and against the formats."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from support.compiled import compiled
from support.tflite_writer import dense_network

from tinyproof.core.board_spec import find_board
from tinyproof.firmware.images import Part, as_bin, as_hex, as_uf2, write_images
from tinyproof.firmware.platformio_build import build


@pytest.mark.parametrize(
    "name", ["qemu-cortex-m4", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("sim-uno", "qemu-riscv32"))]
)
def test_images_are_those_of_objcopy(tmp_path: Path, name: str) -> None:
    board = find_board(name)
    folder = compiled(tmp_path / "net", dense_network(7, [3, 5, 2]))
    elf = build(board, folder).elf
    assert elf.with_suffix(".uf2").exists() == (name != "sim-uno")
    theirs = tmp_path / "theirs.hex"
    subprocess.run([f"{board.build.toolchain}objcopy", "-O", "ihex", str(elf), str(theirs)], check=True)
    flash = flash_of(theirs.read_text())
    assert flash_of(elf.with_suffix(".hex").read_text()) == flash
    start = min(flash)
    image = elf.with_suffix(".bin").read_bytes()
    assert len(image) == max(flash) + 1 - start
    assert dict(enumerate(image, start)) == {
        address: flash.get(address, 0xFF) for address in range(start, max(flash) + 1)
    }
    if name != "sim-uno":
        pages = pages_of(elf.with_suffix(".uf2").read_bytes())
        assert {address: byte for address, byte in pages.items() if byte != 0xFF or address in flash} == flash
    assert not list(elf.parent.glob("*.partial"))


def flash_of(text: str) -> dict[int, int]:
    """Address -> byte of an Intel HEX, whose every checksum is right."""
    flash, upper = {}, 0
    for line in text.splitlines():
        record = bytes.fromhex(line[1:])
        assert sum(record) & 0xFF == 0, line
        count, address, kind = struct.unpack(">BHB", record[:4])
        content = record[4:-1]
        assert count == len(content)
        if kind == 0:
            flash.update({upper + address + offset: byte for offset, byte in enumerate(content)})
        elif kind in (2, 4):
            upper = int.from_bytes(content, "big") << (4 if kind == 2 else 16)
    return flash


def pages_of(content: bytes) -> dict[int, int]:
    """Address -> byte of a UF2, without what is erased beyond the image."""
    assert len(content) % 512 == 0
    flash: dict[int, int] = {}
    blocks = [content[start : start + 512] for start in range(0, len(content), 512)]
    for number, block in enumerate(blocks):
        magic, magic2, flags, address, size, index, count, family = struct.unpack("<8I", block[:32])
        assert (magic, magic2, block[508:]) == (0x0A324655, 0x9E5D5157, struct.pack("<I", 0x0AB16F30))
        assert (flags, size, index, count, family) == (0, 256, number, len(blocks), 0)
        flash.update({address + offset: byte for offset, byte in enumerate(block[32:288])})
    return flash


def test_gaps_and_far_addresses() -> None:
    parts = [Part(0x1FFFC, b"\1\2\3\4\5\6"), Part(0x20010, b"\7")]
    assert as_bin(parts) == b"\1\2\3\4\5\6" + b"\xff" * 14 + b"\7"
    assert flash_of(as_hex(parts)) == {**{0x1FFFC + i: i + 1 for i in range(6)}, 0x20010: 7}
    assert as_hex(parts).splitlines()[:2] == [":020000040001F9", ":04FFFC0001020304F7"]
    assert [page for page in pages_of(as_uf2(parts)) if page % 256 == 0] == [0x1FF00, 0x20000]
    assert as_bin([Part(0, b"\1"), Part(0x20000000, b"\2")]) is None


def test_a_familys_number_is_in_every_block() -> None:
    """RP2040 Datasheet 2.8.4.2: its ROM takes blocks with the flag 0x2000 and the number 0xE48BFF56, and no others."""
    parts = [Part(0x10000000, bytes(range(256)) * 3)]
    plain, marked = as_uf2(parts), as_uf2(parts, 0xE48BFF56)
    for start in range(0, len(plain), 512):
        flags, family = (struct.unpack_from("<I", marked, start + offset)[0] for offset in (8, 28))
        assert (flags, family) == (0x2000, 0xE48BFF56)
        assert marked[start + 12 : start + 28] == plain[start + 12 : start + 28]
        assert marked[start + 32 : start + 512] == plain[start + 32 : start + 512]


def test_what_cannot_be_made_any_more_is_removed(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "net", dense_network(7, [3, 5, 2]))
    elf = build(find_board("sim-uno"), folder).elf
    elf.with_suffix(".uf2").touch()
    write_images(elf)
    assert not elf.with_suffix(".uf2").exists()
