# SPDX-License-Identifier: Apache-2.0
"""The device's side of the protocol, compiled for this machine under sanitizers and driven byte by byte."""

from __future__ import annotations

import binascii
import re
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.effort import examples
from support.native import Driver

LINE_BYTES = 128
INFO = (
    b"ok tinyproof=1 board=native engine=fake model=0123456789abcdef in=1 out=1 line=128 bin=1024 window=4096"
    b" many=1 init=7insn"
)
REPLY = re.compile(rb"(@\d+ )?(ok.*|err [1-6] [ -~]*|y = .*)(\*[0-9A-F]{4})?")


def crc(content: bytes) -> bytes:
    return content + b"*%04X" % binascii.crc_hqx(content, 0xFFFF)


def ask(driver: Driver, *requests: bytes, sizes: tuple[int, int] = (1, 1)) -> list[bytes]:
    """Replies to lines, without the banner."""
    banner, *replies = driver(b"".join(line + b"\n" for line in requests), "protocol", *map(str, sizes)).splitlines()
    assert banner == b"# tinyproof on native: send a number, or help"
    return replies


@pytest.mark.parametrize(
    ("request_line", "reply"),
    [
        (b"info", INFO),
        (b"@65535 info", b"@65535 " + INFO),
        (crc(b"@7 info"), crc(b"@7 " + INFO)),
        (crc(b"info"), crc(INFO)),
        (b"q 5", b"ok q=5 t=1insn"),
        (b"q -128", b"ok q=-128 t=1insn"),
        (b"  q   5  ", b"ok q=5 t=1insn"),
        (b"q\r 5\r", b"ok q=5 t=1insn"),
        (b"q 128", b"err 3 range"),
        (b"q -129", b"err 3 range"),
        (b"q 99999999999999999999", b"err 3 range"),
        (b"q 1.5", b"err 1 syntax"),
        (b"q -", b"err 1 syntax"),
        (b"q", b"err 4 length wrong number of values"),
        (b"q 1 2", b"err 4 length wrong number of values"),
        (b"q 42", b"err 6 engine"),
        (b"x 1e39", b"err 3 range"),
        (b"x 1e100", b"err 3 range"),
        (b"x nan", b"err 1 syntax"),
        (b"x 0x10", b"err 1 syntax"),
        (b"@65536 info", b"err 3 range"),
        (b"@-1 info", b"err 1 syntax"),
        (b"@ info", b"err 1 syntax"),
        (b"@5", b"@5 err 1 syntax"),
        (b"@5 q 128", b"@5 err 3 range"),
        (crc(b"@5 q 128"), crc(b"@5 err 3 range")),
        (b"@5 info*0000", crc(b"err 2 crc")),
        (b"info*", crc(b"err 2 crc")),
        (crc(b"info").lower(), crc(b"err 2 crc")),
        (crc(b"info") + b" ", crc(b"err 2 crc")),
        (b"info now", b"err 1 syntax"),
        (b"INFO", b"err 1 syntax"),
        (b"inf", b"err 1 syntax"),
        (b" ", b"err 1 syntax"),
        (b"q 1\x00", b"err 1 syntax"),
        (b"\x00", b"err 1 syntax"),
        (b"run", b"err 5 state"),
        (b"read 0 1", b"err 5 state"),
        (b"read 0 2", b"err 3 range"),
        (b"read 2 0", b"err 3 range"),
        (b"read -1 1", b"err 1 syntax"),
        (b"load 0 0", b"err 1 syntax"),
        (b"load 0 0g", b"err 1 syntax"),
        (b"load 0", b"err 1 syntax"),
        (b"load 0 0102", b"err 3 range"),
        (b"load 2147483647 01", b"err 3 range"),
        (b"load 4294967296 01", b"err 3 range"),
        (b"load 1 ", b"err 1 syntax"),
        (b"many 2147483647 2147483647 1", b"ok 303469A9 t=1insn"),
        (b"many 2147483648 0 1", b"err 3 range"),
        (b"many 0 0 0", b"err 3 range"),
        (b"many 0 0 1025", b"err 3 range"),
        (b"many 0 0 -1", b"err 1 syntax"),
        (b"many 0 0", b"err 1 syntax"),
        (b"many 0 0 1 1", b"err 1 syntax"),
        (b"many 5 0 1024", b"err 6 engine"),  # a 42 is among them
        # x / 0.5 - 1 -> q, then y = 0.25 (q - 6).
        (b"10", b"y = 3.25 (q = 19, 1 insn)"),
        (b"100", b"y = 30.25 (q = 127, 1 insn, saturated)"),
        (b"-1000", b"y = -33.5 (q = -128, 1 insn, saturated)"),
        (b"ten", b"err 1 syntax"),
    ],
)
def test_single_line(driver: Driver, request_line: bytes, reply: bytes) -> None:
    assert ask(driver, request_line) == [reply]


def test_x_rounds_ties_away_from_zero_and_answers_in_bits(driver: Driver) -> None:
    for x, q in ((0.25, 0), (-0.25, -2), (0.75, 1), (0.2499999, -1), (1e38, 127), (-1e38, -128)):
        bits = struct.unpack(">I", struct.pack(">f", 0.25 * (q - 6)))[0]
        assert ask(driver, b"x %r" % x) == [b"ok q=%d y=%08X t=1insn" % (q, bits)]


def test_tensors_by_pieces(driver: Driver) -> None:
    replies = ask(driver, b"load 0 0001", b"run", b"load 3 7f", b"load 2 7f80", b"@9 run", b"@9 run", b"read 1 3",
                  b"load 0 00", b"read 0 1", b"@9 run", sizes=(4, 5))  # fmt: skip
    assert replies == [b"ok", b"err 5 state", b"err 5 state", b"ok", b"@9 ok t=1insn", b"@9 ok t=1insn", b"ok 028183",
                       b"ok", b"err 5 state", b"@9 err 5 state"]  # fmt: skip


def test_answers_that_do_not_fit_a_line_name_the_way_out(driver: Driver) -> None:
    long = b"err 4 length use load, run, read"
    assert ask(driver, b"q 1", b"x 1", b"1", sizes=(1, 200)) == [long] * 3
    assert ask(driver, b"q 1", sizes=(200, 1)) == [long]
    assert ask(driver, b"load 0 00", b"run", b"read 0 45", b"read 0 46", sizes=(1, 200))[2:] == [
        b"ok " + bytes(range(45)).hex().upper().encode(),
        b"err 4 length",
    ]


@pytest.mark.parametrize("outputs", range(1, 40))
def test_no_reply_is_longer_than_the_line(driver: Driver, outputs: int) -> None:
    for verb in (b"@65535 q -128", b"@65535 x -1000"):
        (reply,) = ask(driver, crc(verb), sizes=(1, outputs))
        assert len(reply) <= LINE_BYTES


def test_an_overlong_line_is_answered_once_and_swallowed(driver: Driver) -> None:
    fits = b"q " + b" " * (LINE_BYTES - 3) + b"5"
    assert len(fits) == LINE_BYTES
    assert ask(driver, fits, b" " + fits, b"9" * 10_000, b"info") == [
        b"ok q=5 t=1insn", b"err 4 length", b"err 4 length", INFO]  # fmt: skip


def binary(offset: int, content: bytes) -> bytes:
    """A binary `load`; written apart from the host's."""
    escaped = b"".join(b"}%c" % (byte ^ 0x40) if byte in b"\n\r*}" else bytes([byte]) for byte in content)
    return crc(b"load %d :%s" % (offset, escaped))


def test_every_byte_comes_through_as_it_is(driver: Driver) -> None:
    content = bytes(range(256)) * 2
    first, second = content[:300], content[300:]
    replies = ask(driver, binary(0, first), binary(300, second), b"run", b"read 0 45", b"read 467 45", sizes=(512, 512))
    assert replies[:2] == [crc(b"ok")] * 2
    right = bytes((content[i] + i) & 0xFF for i in range(512))
    assert replies[3:] == [b"ok " + part.hex().upper().encode() for part in (right[:45], right[467:])]


def test_bytes_are_loaded_only_once_their_crc_has_come(driver: Driver) -> None:
    whole = binary(2, b"\x03\x04")
    damaged = whole.replace(b"\x03", b"\x13")
    torn = crc(b"err 2 crc")
    replies = ask(driver, binary(0, b"\x01\x02"), damaged, b"run", whole[:-4], b"run", binary(3, b"\x04"), whole,
                  b"run", b"read 0 4", sizes=(4, 4))  # fmt: skip
    assert replies == [crc(b"ok"), torn, b"err 5 state", torn, b"err 5 state", crc(b"err 5 state"), crc(b"ok"),
                       b"ok t=1insn", b"ok 01030507"]  # fmt: skip


def test_a_binary_load_leaves_nothing_behind_it_loaded(driver: Driver) -> None:
    replies = ask(driver, binary(0, b"1234"), binary(1, b"23"), b"run", binary(0, b"12345"), b"run", sizes=(4, 4))
    assert replies == [crc(b"ok"), crc(b"ok"), b"err 5 state", crc(b"err 3 range"), b"err 5 state"]


def test_a_broken_engine_takes_no_bytes(driver: Driver) -> None:
    _, reply = driver(binary(0, b"\x05") + b"\n", "broken").splitlines()
    assert reply == crc(b"err 6 engine")


def test_empty_lines_are_ignored(driver: Driver) -> None:
    assert ask(driver, b"", b"\r", b"info") == [INFO]


def test_a_split_line_waits_for_its_end(driver: Driver) -> None:
    assert driver(b"info", "protocol", "1", "1").count(b"\n") == 1


def test_an_engine_with_an_arena_says_what_it_took(driver: Driver) -> None:
    assert driver(b"info\n", "protocol", "1", "1", "436").splitlines()[1] == INFO + b" arena=436"


def test_a_failed_engine_is_said(driver: Driver) -> None:
    banner, *replies = driver(b"info\nq 1\n1\nhelp\nfoo\n", "broken").splitlines()
    assert banner.endswith(b"err 6 engine")
    assert replies[:3] == [b"err 6 engine"] * 3
    assert replies[3].startswith(b"ok info")
    assert replies[4] == b"err 1 syntax"


WORDS = st.sampled_from(
    [b"@1 ", b"info", b"x ", b"q ", b"load ", b"run", b"read ", b"1e9", b"-", b"0 ", b"ff", b"*", b"\n", b"\0"]
)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(WORDS | st.binary(max_size=200), max_size=40), st.sampled_from([(1, 1), (3, 9), (300, 300)]))
def test_any_garbage_leaves_a_board_that_answers(driver: Driver, parts: list[bytes], sizes: tuple[int, int]) -> None:
    garbage = b"".join(parts)
    out = driver(garbage + b"\n" + crc(b"@77 info") + b"\n", "protocol", *map(str, sizes))
    _, *replies = out.splitlines()
    assert all(REPLY.fullmatch(reply) for reply in replies), replies
    assert len(replies) == sum(1 for line in garbage.split(b"\n") if line.replace(b"\r", b"")) + 1
    assert replies[-1].startswith(b"@77 ok tinyproof=1")
    assert crc(replies[-1][:-5]) == replies[-1]
