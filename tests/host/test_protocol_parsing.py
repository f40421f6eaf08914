# SPDX-License-Identifier: Apache-2.0
"""Lines, replies and arithmetic of the host: what a device may send is anything."""

from __future__ import annotations

import contextlib
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_build import ID, X, Y, line
from support.single_device import single_device

from tinyproof.core.errors import BoardError
from tinyproof.core.paths import FIRMWARE
from tinyproof.host.inference import READ_FRAME_BYTES
from tinyproof.host.protocol import messages, status
from tinyproof.host.protocol.framing import LineSplitter, Reply, crc16, decode, frame, show
from tinyproof.host.protocol.numbers import float_bits, float_from_bits, shortest
from tinyproof.host.session import bytes_alone

INFO = f"tinyproof=1 board=b-1 engine=compiled model={ID} in=1 out=1 line=128"
finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def test_crc_is_ccitt_false() -> None:
    assert crc16(b"123456789") == 0x29B1  # the catalogue's check value
    assert frame("info", 7) == b"@7 info*%04X\n" % crc16(b"@7 info")


def test_device_and_host_agree_on_the_error_codes() -> None:
    header = (FIRMWARE / "lib" / "protocol" / "protocol.h").read_text(encoding="utf-8")
    device = {int(value): name.lower() for name, value in re.findall(r"PROTOCOL_ERROR_(\w+)\s*=\s*(\d+)", header)}
    assert device == {code: word for code, (word, _) in status.CODES.items()}
    assert "no such code" in status.explain(77)


def test_device_and_host_agree_on_what_a_reply_to_read_has_besides_its_digits() -> None:
    """Were the host's smaller, it would ask for more than the device's line holds, and be refused."""
    sources = (FIRMWARE / "lib" / "protocol").glob("*.[ch]")
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert re.findall(r"#define FRAME_BYTES (\d+)U?\n", text) == [str(READ_FRAME_BYTES)]


@given(st.integers(0, 65535), st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*")))
def test_a_framed_reply_decodes(seq: int, fields: str) -> None:
    assert decode(frame(f"ok {fields}", seq)[:-1]) == Reply(seq, 0, fields)
    assert decode(frame(f"err 3 {fields}", seq)[:-1]) == Reply(seq, 3, fields)


@given(st.binary(max_size=200))
def test_any_line_decodes_to_a_reply_or_to_nothing(content: bytes) -> None:
    decode(content)
    body = content.replace(b"\n", b"")
    reply = decode(body + b"*%04X" % crc16(body))  # an intact CRC around anything
    assert reply is None or body.lstrip(b"@0123456789 ").startswith((b"ok", b"err"))


@given(st.integers(0, 40), st.integers(1, 255))
def test_any_single_damaged_byte_is_noticed(at: int, change: int) -> None:
    sound = frame("ok q=-12 y=C0400000 t=41insn", 513)[:-1]
    at %= len(sound)
    damaged = sound[:at] + bytes([sound[at] ^ change]) + sound[at + 1 :]
    assert decode(damaged) is None


@pytest.mark.parametrize("content", ["ok", "@65536 ok", "err 0 fine", "okay", "err", "@1 @2 ok", "@-1 ok"])
def test_replies_that_no_device_may_send(content: str) -> None:
    reply = decode(frame(content)[:-1])
    assert reply == (Reply(None, 0, "") if content == "ok" else None)


@given(st.lists(st.binary(max_size=30)), st.integers(1, 20))
def test_lines_come_out_as_they_went_in_however_they_are_split(chunks: list[bytes], step: int) -> None:
    stream = b"\n".join(chunks) + b"\n"
    splitter = LineSplitter(limit=40)
    found = [line for at in range(0, len(stream), step) for line in splitter.feed(stream[at : at + step])]
    assert found == [line.replace(b"\r", b"") for line in stream[:-1].split(b"\n")]


def test_an_endless_line_is_dropped_and_the_next_one_read() -> None:
    splitter = LineSplitter(limit=100)
    for _ in range(10_000):
        assert splitter.feed(b"x" * 1000) == []
    assert len(splitter._partial) <= 100
    assert splitter.feed(b"\nnext\n") == [b"next"]
    assert splitter.dropped == 1


@given(st.binary())
def test_shown_bytes_are_printable_and_short(content: bytes) -> None:
    shown = show(content)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 48 * 4 + 10


def test_info_is_read() -> None:
    info = messages.parse_info(INFO + " init=12insn arena=436 future=field")
    assert (info.board, info.model, info.in_bytes, info.line_bytes) == ("b-1", ID, 1, 128)
    assert (info.startup_ticks, info.arena_used_bytes) == (12, 436)
    older = messages.parse_info(INFO)
    assert (older.startup_ticks, older.arena_used_bytes) == (0, 0)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("tinyproof=1", "tinyproof=2", "version 2"),
        ("tinyproof=1 ", "", "no tinyproof="),
        ("in=1", "in=0", "impossible in="),
        ("in=1", "in=99999999", "impossible in="),
        ("in=1", "in=1 in=1", "in= twice"),
        ("line=128", "line=63", "impossible line="),
        ("board=b-1", "board=<b>", "impossible board="),
        (f"model={ID}", "model=XYZ", "impossible model="),
        (" out=1", "", "no out="),
        ("line=128", "line=128 arena=0", "impossible arena="),
        ("line=128", "line=128 bin=0", "impossible bin="),
        ("line=128", "line=128 window=x", "impossible window="),
        ("line=128", "line=128 stack=-1", "impossible stack="),
    ],
)
def test_impossible_info_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(BoardError) as raised:
        messages.parse_info(INFO.replace(old, new))
    assert says in raised.value.message


def test_an_answer_is_read() -> None:
    answer = messages.parse_answer("q=-128,127 y=C0400000,7fc00000 t=4294967295insn", bytes_alone(2), with_y=True)
    assert answer == messages.Answer(b"\x80\x7f", (-128, 127), (0xC0400000, 0x7FC00000), 4294967295, "insn")
    assert messages.parse_hex("00fF", 2) == b"\x00\xff"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "q=1 t=1us",
        "q=1,2,3 t=1us y=00000000,00000000",
        "q=128,0 y=00000000,00000000 t=1us",
        "q=1,-129 y=00000000,00000000 t=1us",
        "q=1,x y=00000000,00000000 t=1us",
        "q=1,+2 y=00000000,00000000 t=1us",
        "q=1,2 y=0000000,00000000 t=1us",
        "q=1,2 y=00000000,0000000G t=1us",
        "q=1,2 y=00000000,00000000",
        "q=1,2 y=00000000,00000000 t=1",
        "q=1,2 y=00000000,00000000 t=4294967296us",
        "q=1,2 y=00000000,00000000 t=1parsec",
        "q=1,2 q=1,2 y=00000000,00000000 t=1us",
    ],
)
def test_impossible_answers_are_refused(text: str) -> None:
    with pytest.raises(BoardError):
        messages.parse_answer(text, bytes_alone(2), with_y=True)


@pytest.mark.parametrize("text", ["", "0", "000", "00 00", "00GG", "000000"])
def test_impossible_hex_is_refused(text: str) -> None:
    with pytest.raises(BoardError):
        messages.parse_hex(text, 2)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)), st.integers(1, 5))
def test_any_text_parses_or_is_a_board_error(text: str, count: int) -> None:
    for parse in (
        lambda: messages.parse_info(text),
        lambda: messages.parse_answer(text, bytes_alone(count), with_y=True),
        lambda: messages.parse_hex(text, count),
        lambda: messages.parse_info(f"{INFO} {text}"),
    ):
        with contextlib.suppress(BoardError):
            parse()


@given(finite32)
def test_a_real_is_sent_in_digits_that_name_it(x: float) -> None:
    assert np.float32(shortest(x)) == np.float32(x)
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?", shortest(x))


@given(st.integers(0, 2**32 - 1))
def test_any_bits_are_a_float(bits: int) -> None:
    value = float_from_bits(bits)
    assert math.isnan(value) or float_bits(value) == bits


@given(st.binary(max_size=300))
def test_the_python_device_survives_any_bytes(content: bytes) -> None:
    device = single_device(ID, X, Y, line)
    for reply in device.feed(content + b"\n").split(b"\n"):
        assert reply.isascii()
    assert decode(device.feed(frame("q 5", 9))[:-1]) is not None


def test_the_python_device_talks_to_people() -> None:
    device = single_device(ID, X, Y, line)
    assert re.fullmatch(rb"y = 3\.95 \(q = \d+, \d+ us\)\n", device.feed(b"2.5\r\n"))
    assert b"saturated" in device.feed(b"1000\n")
    assert b"load OFFSET HEX" in device.feed(b"help\n")
    assert device.feed(b"x" * 2000 + b"\nfoo\n") == b"err 4 length\nerr 1 syntax\n"
    assert device.feed(b"@5 q 5*0000\n") == frame("err 2 crc")
    assert device.feed(b"read 0 1\n") == b"ok 7F\n"  # as on a board: the answer to the number above
    device.reset()
    assert device.feed(b"read 0 1\nq 200\nq 1 2\nx nan\n") == b"err 5 state\nerr 3 range\nerr 4 length\nerr 1 syntax\n"
