# SPDX-License-Identifier: Apache-2.0
"""The firmware as the files that programmers and bootloaders take, beside its ELF: .bin, .hex and .uf2.

.bin   the bytes from the lowest address on, gaps filled with 0xFF as erased flash has them
.hex   Intel HEX (Intel, "Hexadecimal Object File Format Specification", 1988): records of 16 bytes, checksums
.uf2   Microsoft's "UF2 specification": blocks of 256 bytes for a bootloader that shows itself as a disk; with the
       family's number where the board has one, since the RP2040's leaves out all blocks without (Datasheet 2.8.4.2)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from tinyproof.core.files import write_at_once

MAX_GAP_BYTES = 1 << 20  # between two parts of an image: more would be no flash but two memories
ERASED = 0xFF
HEX_BYTES = 16
UF2_BYTES = 256
_UF2_START = (0x0A324655, 0x9E5D5157)
_UF2_END = 0x0AB16F30
_UF2_HAS_FAMILY = 0x2000
_AVR_DATA = 0x800000  # from here on AVR's ELF means RAM, EEPROM and fuses, of which none is in an image of the flash


@dataclass(frozen=True)
class Part:
    """Bytes at an address of the flash."""

    address: int
    content: bytes


def write_images(elf: Path, uf2_family: int = 0) -> None:
    """firmware.bin, .hex and .uf2 beside `elf`, each renamed into its place when whole; the same ELF gives the same
    bytes. No .uf2 for AVR, whose addresses it cannot say. What cannot be made any more is removed."""
    parts, is_avr = read_parts(elf)
    contents: dict[str, bytes | None] = {
        ".bin": as_bin(parts),
        ".hex": as_hex(parts).encode("ascii"),
        ".uf2": None if is_avr else as_uf2(parts, uf2_family),
    }
    for suffix, content in contents.items():
        target = elf.with_suffix(suffix)
        if content is None:
            target.unlink(missing_ok=True)
        else:
            write_at_once(target, content)


def read_parts(elf: Path) -> tuple[list[Part], bool]:
    """What the ELF loads into flash, by load address, and whether it is AVR's."""
    found = []
    with elf.open("rb") as file:
        image = ELFFile(file)
        is_avr = image["e_machine"] == "EM_AVR"
        for segment in image.iter_segments("PT_LOAD"):
            content = segment.data()
            if content and not (is_avr and segment["p_paddr"] >= _AVR_DATA):
                found.append(Part(segment["p_paddr"], content))
    return sorted(found, key=lambda part: part.address), is_avr


def as_bin(parts: list[Part]) -> bytes | None:
    """None where the parts lie too far apart to be one flash."""
    image = bytearray()
    for part in parts:
        gap = part.address - (parts[0].address + len(image))
        if gap > MAX_GAP_BYTES:
            return None
        image += bytes([ERASED]) * gap + part.content
    return bytes(image)


def as_hex(parts: list[Part]) -> str:
    """Data records of 16 bytes that never cross 64 KB, each behind the upper half of its address where that changes."""
    lines = []
    upper = 0
    for part in parts:
        for address, content in _cut(part, HEX_BYTES):
            if address >> 16 != upper:
                upper = address >> 16
                lines.append(_record(0, 4, upper.to_bytes(2, "big")))
            lines.append(_record(address & 0xFFFF, 0, content))
    return "".join(f"{line}\n" for line in (*lines, _record(0, 1, b"")))


def as_uf2(parts: list[Part], family: int = 0) -> bytes:
    """Blocks of 256 bytes at multiples of 256, what is not the image's erased. `family`: 0 for none."""
    pages: dict[int, bytearray] = {}
    for part in parts:
        for address, content in _cut(part, UF2_BYTES):
            base = address - address % UF2_BYTES
            page = pages.setdefault(base, bytearray([ERASED]) * UF2_BYTES)
            page[address - base : address - base + len(content)] = content
    blocks = []
    for number, (address, page) in enumerate(sorted(pages.items())):
        flags = _UF2_HAS_FAMILY if family else 0
        head = struct.pack("<8I", *_UF2_START, flags, address, UF2_BYTES, number, len(pages), family)
        blocks.append(head + bytes(page) + bytes(476 - UF2_BYTES) + struct.pack("<I", _UF2_END))
    return b"".join(blocks)


def _cut(part: Part, size: int) -> Iterator[tuple[int, bytes]]:
    """Pieces that end at multiples of `size`."""
    start = 0
    while start < len(part.content):
        end = start + size - (part.address + start) % size
        yield part.address + start, part.content[start:end]
        start = end


def _record(address: int, kind: int, content: bytes) -> str:
    body = bytes([len(content)]) + address.to_bytes(2, "big") + bytes([kind]) + content
    return f":{body.hex().upper()}{-sum(body) & 0xFF:02X}"
