# SPDX-License-Identifier: Apache-2.0
"""docs/protocol.md says what the firmware and the device model do, and these two answer alike."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.single_device import single_device

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.paths import FIRMWARE, ROOT
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.made_inputs import VERSION, digest_of, digest_of_all, make_input
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.many.asking import MOST_AT_ONCE
from tinyproof.host.protocol import device_model
from tinyproof.host.protocol.device_model import Device
from tinyproof.host.protocol.framing import crc16, escape, frame_binary
from tinyproof.host.protocol.messages import parse_info
from tinyproof.host.protocol.status import CODES

PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
PROTOCOL = FIRMWARE / "lib" / "protocol"
MODEL_ID = "0123456789abcdef"
LINE_BYTES = 128
Driver = Callable[..., bytes]


def table(head: str) -> list[list[str]]:
    """Cells of the table on the page that begins with this head."""
    _, _, rows = PAGE.partition(f"\n| {head} |")
    lines = re.findall(r"^\| (.*) \|$", rows.split("\n\n")[0], re.MULTILINE)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def model(inputs: int, outputs: int) -> Device:
    """The driver's engine behind the device model: it copies its input, adds each output's place, and fails at 42."""

    def run(content: bytes) -> bytes:
        if content[0] == 42:
            raise RuntimeError("42")
        return bytes((content[i % inputs] + i) & 0xFF for i in range(outputs))

    x, y = TensorSpec("x", [inputs], "int8", 0.5, -1, inputs), TensorSpec("y", [outputs], "int8", 0.25, 6, outputs)
    return single_device(MODEL_ID, x, y, run, board="native", engine="fake", line_bytes=LINE_BYTES)


def alike(reply: bytes) -> str:
    """A reply without what may differ: time, the CRC over it, the start-up's time, words for people after an error."""
    text = re.sub(r"\*[0-9A-F]{4}$", "*", reply.decode("ascii"))
    text = re.sub(r"(t=|, )[0-9]+ ?(insn|us)", r"\1N", text)
    return re.sub(r" init=\w+| stack=\d+|(?<=err 4 length) [^*]*", "", text)


TRANSCRIPTS = re.findall(r"^```\n(> .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(TRANSCRIPTS)))
def test_both_sides_say_what_the_transcripts_say(driver: Driver, number: int) -> None:
    lines = TRANSCRIPTS[number].splitlines()
    asked = [line[2:].encode() + b"\n" for line in lines if line.startswith("> ")]
    said = [line[2:].encode() for line in lines if line.startswith("< ")]
    assert len(asked) == len(said) == len(lines) / 2
    _, *replies = driver(b"".join(asked), "protocol", "1", "1").splitlines()
    for answers in (replies, model(1, 1).feed(b"".join(asked)).splitlines()):
        assert [alike(answer) for answer in answers] == [alike(line) for line in said]
        for answer, line in zip(answers, said, strict=True):
            if b"*" in line:
                assert answer == line


def typed() -> Device:
    """The driver's `typed` engine behind the device model."""
    spec = (
        [("int8", 2, 0.5, -1), ("int16", 2, 0.01, 0)],
        [("uint8", 2, 0.25, 6), ("int32", 1, 1.0, 0), ("bool", 1, 1.0, 0)],
    )
    x, y = (
        TensorLayout(
            tuple(
                TensorSpec("t", [count], dtype, scale, zero_point, DTYPES[dtype].bytes_of(count))
                for dtype, count, scale, zero_point in tensors
            )
        )
        for tensors in spec
    )
    state = [0]

    def run(content: bytes) -> bytes:
        a, b, c, d = x.values(content)
        if a == 42:
            raise RuntimeError("42")
        answer = y.content([(a + state[0]) & 0xFF, (b + state[0]) & 0xFF, c + d, int(c + d < 0)])
        state[0] += 1
        return answer

    def reset() -> None:
        state[0] = 0

    return Device(MODEL_ID, x, y, run, reset, 4, board="native", engine="fake", line_bytes=LINE_BYTES)


TYPED = """info
q 1 -2 300 -400
@5 q 1 -2 300 -400
@5 q 1 -2 300 -400
@6 q 1 -2 300 -400
reset
x 0.5 -3 1.5 327.68
1 1 1 1e9
q 1 2 3 32768
q 1 2 3 -32769
q 1 2 3
q 1 2 3 4 5
load 0 0102FEFF0300
run
read 0 7
@9 run
load 0 010203040506
@9 run
@9 run
reset
@9 run
read 0 1
q 42 0 0 0
"""


def test_both_sides_speak_of_several_types_and_keep_a_state(driver: Driver) -> None:
    _, *replies = driver(TYPED.encode(), "typed").splitlines()
    modelled = typed().feed(TYPED.encode()).splitlines()
    assert [alike(answer) for answer in replies] == [alike(answer) for answer in modelled]
    first, again, repeated, later = replies[1:5]
    assert first.startswith(b"ok q=1,254,-100,1 t=")
    assert again == repeated, "a repeat moved the state on"
    assert (again.split()[2], later.split()[2]) == (b"q=2,255,-100,1", b"q=3,0,-100,1")
    assert replies[6].startswith(b"ok q=0,249,32917,0 y=BFC00000,"), "x after a reset"


SPEEDS = b"""info
baud 921600
baud 921600 UU:{}UU
@7 baud 115200 UU
baud 2000000
baud 4
baud
baud -5
baud x
baud 9600 a b
@7 baud 9600*0000
baud 99999999999
"""


def test_both_sides_speak_of_speeds(driver: Driver) -> None:
    modelled = model(1, 1)
    modelled.base_baud, modelled.set_baud = 115_200, lambda baud: 9600 <= baud <= 1_000_000
    _, *said = driver(SPEEDS, "speeds", "1", "1").splitlines()
    replies = [line for line in said if not line.startswith(b"~")]
    assert [alike(reply) for reply in replies] == [alike(reply) for reply in modelled.feed(SPEEDS).splitlines()]
    assert parse_info(replies[0].decode().removeprefix("ok ")).base_baud == 115_200
    assert replies[1:5] == [b"ok ", b"ok UU:{}UU", b"@7 ok UU", b"err 3 range"]


@pytest.mark.parametrize(
    ("line", "keeps"),
    [(b"@7 info", True), (b"@8 nonsense", True), (b"@8 load 0 :A", True), (b"@9 load 5 :A", True), (b"info", False)],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_a_speed_is_kept_by_what_comes_whole(driver: Driver, line: bytes, keeps: bool, damaged: bool) -> None:
    end = b"" if not keeps else b"*0000" if damaged else b"*%04X" % crc16(line)
    kept: list[None] = []
    modelled = model(1, 1)
    modelled.base_baud, modelled.keep_baud = 115_200, lambda: kept.append(None)
    modelled.answer(line + end)
    state = driver(line + end + b"\n", "speeds", "1", "1").splitlines()[-1]
    assert state == b"~0 %d" % len(kept)
    assert len(kept) == (keeps and not damaged)


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 4


def test_the_verbs_are_those_of_help(driver: Driver) -> None:
    named = {row[0].strip("`").split(" ")[0] for row in table("Request | Reply | What it does")}
    shown = driver(b"help\n", "protocol", "1", "1").splitlines()[1].decode()
    assert shown == f"ok {device_model.HELP}"
    verbs = {part.split(" ")[0] for part in shown.removeprefix("ok ").split(" | ")} - {"or"}
    assert named == verbs | {"help"}


def test_the_fields_are_those_of_info(driver: Driver) -> None:
    named = {name for row in table("Field of `info` | Meaning") for name in re.findall(r"`(\w+)`", row[0])}
    info = driver(b"info\n", "protocol", "1", "1", "436").splitlines()[1].decode()
    assert {word.partition("=")[0] for word in info.split(" ")} == named - {"types", "state", "stack", "baud"} | {"ok"}
    modelled = model(1, 1).answer(b"info").decode().split()
    assert {word.partition("=")[0] for word in modelled} == named - {
        "init",
        "arena",
        "types",
        "state",
        "stack",
        "baud",
    } | {"ok"}
    stateful = parse_info(driver(b"info\n", "typed").splitlines()[1].decode().removeprefix("ok "))
    assert (stateful.types, stateful.state_bytes) == ("int8,int16/uint8,int32,bool", 4)
    assert stateful.stack_bytes == 96
    assert parse_info(info.removeprefix("ok ")).arena_used_bytes == 436


def test_the_errors_are_those_of_both_sides() -> None:
    named = [row[0].strip("`") for row in table("Reply | Meaning")]
    header = (PROTOCOL / "protocol.h").read_text()
    ours = re.findall(r"PROTOCOL_ERROR_(\w+) = (\d+)", header)
    assert named == [f"err {code} {name.lower()}" for name, code in ours]
    assert named == [f"err {code} {word}" for code, (word, _) in CODES.items()]


def test_the_limits_are_those_of_both_sides() -> None:
    c = "".join((PROTOCOL / name).read_text() for name in ("protocol.h", "protocol.c", "verbs.c", "quantize.c"))

    def constant(pattern: str) -> int:
        (found,) = re.findall(pattern, c)
        return int(found)

    (sizes,) = re.findall(r"text_sizes\[\] = \{([^}]*)\}", c)
    (types,) = re.findall(r"enum engine_type \{([^}]*)\}", (FIRMWARE / "lib" / "engine" / "engine.h").read_text())
    names = [name.strip().removeprefix("ENGINE_").lower() for name in types.split(",")]
    texts = dict(zip(names, map(int, sizes.split(",")), strict=True))
    assert texts == {**device_model.Q_BYTES, "int64": 0}
    for name, size in device_model.Q_BYTES.items():
        words = " ".join(PAGE.split())
        assert re.search(rf"\b{name}\b[^.,]*? {size}\b|{name}'s {size}\b", words), name
    q_bytes, y_bytes = texts["int8"], constant(r"#define Y_TEXT_BYTES (\d+)U")
    frame = constant(r"#define FRAME_BYTES (\d+)U")
    assert [int(row[1]) for row in table("What | Bytes")] == [
        constant(r"#if PROTOCOL_LINE_BYTES < (\d+)"),
        constant(r"#define PROTOCOL_LINE_BYTES (\d+)"),
        device_model.LINE_BYTES,
        constant(r"#define PROTOCOL_BINARY_BYTES (\d+)"),
        constant(r"#define PROTOCOL_WINDOW_BYTES (\d+)"),
        frame,
        q_bytes,
        q_bytes + y_bytes,
    ]
    assert [int(row[1]) for row in table("What | Bytes")][3:5] == [device_model.BINARY_BYTES, device_model.WINDOW_BYTES]
    assert (frame, y_bytes) == (device_model.FRAME_BYTES, device_model.Y_BYTES)
    room = LINE_BYTES - frame
    fits = f"{room // q_bytes} int8 outputs and `x` for up to {room // (q_bytes + y_bytes)};"
    assert fits in " ".join(PAGE.split())


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_both_sides_make_the_same_inputs(driver: Driver, seed: int) -> None:
    """A digest for each of them, of several types and of a row of 200 bytes, then one of many."""
    asked = [f"many {seed} {index} 1" for index in [*range(48), 2**31 - 1]] + [f"many {seed} 3 1000"]
    content = "\n".join([*asked, ""]).encode()
    for device, words in ((typed(), ["typed"]), (model(200, 2), ["protocol", "200", "2"])):
        _, *replies = driver(content, *words).splitlines()
        assert [alike(reply) for reply in replies] == [alike(reply) for reply in device.feed(content).splitlines()]
        assert len({reply.split()[1] for reply in replies if reply.startswith(b"ok")}) > 40


def test_a_digest_is_of_inputs_and_answers(driver: Driver) -> None:
    """By zlib, apart from both sides."""
    spec = model(3, 4).inputs.tensors
    made = [make_input(spec, 7, index) for index in range(20, 32)]
    answers = [bytes((content[i % 3] + i) & 0xFF for i in range(4)) for content in made]
    digest = digest_of_all(map(digest_of, made, answers))
    _, reply, output = driver(b"many 7 20 12\nread 0 4\n", "protocol", "3", "4").splitlines()
    assert reply.split()[1] == b"%08X" % digest
    assert output == b"ok " + answers[-1].hex().upper().encode()


def test_made_inputs_are_of_the_kinds_that_the_page_names() -> None:
    tensors = model(64, 1).inputs.tensors  # zero point -1

    def of(index: int) -> list[int]:
        return list(TensorLayout(tensors).values(make_input(tensors, 3, index)))

    assert len(set(of(0))) > 40
    assert all(max(map(abs, of(index))) <= 128 for index in range(1, 64, 4))
    assert min(max(abs(value + 1) for value in of(index)) for index in range(1, 64, 4)) <= 2
    for index in range(2, 260, 4):
        assert [place for place, value in enumerate(of(index)) if value != -1] in ([index // 4 % 64], [])
    assert {(b - a) % 256 for a, b in itertools.pairwise(of(3))} == {(of(3)[1] - of(3)[0]) % 256}
    assert set(of(7)) == {-128, 127}


def test_the_numbers_of_many_are_those_of_both_sides() -> None:
    header = (PROTOCOL / "many.h").read_text()
    (version,), (most,) = re.findall(r"MANY_VERSION (\d+)", header), re.findall(r"MANY_COUNT (\d+)", header)
    assert (int(version), int(most)) == (device_model.MANY_VERSION, device_model.MANY_COUNT)
    assert int(version) == VERSION
    assert int(most) == MOST_AT_ONCE
    assert f"COUNT is {most} at most." in PAGE
    assert f"Input INDEX of SEED, version {version}," in PAGE


VERBS = st.sampled_from(
    ["info", "help", "x", "q", "load", "run", "read", "many", "baud", "inf", "Q", "@1", "@", "run now"]
)
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "-3",
    "+4",
    "42",
    "127",
    "128",
    "-129",
    "1e3",
    "-1e-99",
    "1e-100",
    "1e39",
    ".5",
    "5.",
    "12345.678",
    "-0.00001",
    "99999999999",
    "-0",
]
WORDS = st.sampled_from([*NUMBERS, "00", "7f80", "0g", "050607", "nan", "-", "1.2.3", "e5", "\u00e9", "\0"])
SEQS = st.sampled_from(["", "@0 ", "@3 ", "@3 ", "@65535 ", "@65536 ", "@000003 ", "@-1 ", "@x "])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    verb = draw(st.one_of(VERBS, WORDS))
    words = draw(st.lists(WORDS, max_size=4))
    line = (draw(SEQS) + draw(st.sampled_from([" ", "  "])).join([verb, *words])).encode("latin-1")
    end = draw(st.sampled_from(["", "", " ", "crc", "crc", "*", "*12*", "\r", "long"]))
    if end == "crc":
        return line + b"*%04X" % crc16(line)
    return line + (b" " * LINE_BYTES if end == "long" else end.encode())


@st.composite
def binary_loads(draw: st.DrawFn) -> bytes:
    """Whole ones most of the time, so that some come to a `run`; else with an end that is missing or wrong."""
    head = draw(SEQS) + draw(
        st.sampled_from(["load 0", "load  0 ", "load 1", "load 3 ", "load 99999999999", "load", "x 0"])
    )
    content = draw(st.one_of(st.binary(max_size=4), st.binary(min_size=LINE_BYTES, max_size=2 * LINE_BYTES)))
    line = head.encode("latin-1") + b":" + escape(content)
    line += draw(st.sampled_from([b"", b"", b"", b"", b"}", b"\r", b":"]))
    return line + draw(
        st.sampled_from([b"*%04X" % crc16(line.replace(b"\r", b""))] * 5 + [b"", b"*", b"*123", b"*00000"])
    )


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(st.one_of(requests(), binary_loads(), st.binary(max_size=20)), max_size=60),
    sizes=st.sampled_from([(1, 1), (3, 9), (2, 40)]),
)
@example(lines=[b"load 0 05", b"q 300", b"run", b"load 0 05", b"@3 run", b"x 1", b"read 0 1", b"@3 run"], sizes=(1, 1))
@example(lines=[frame_binary(0, b"\x05", 3)[:-1], b"@4 run", b"read 0 1"], sizes=(1, 1))
@example(lines=[frame_binary(0, b"1234567", 3)[:-1], b"load 1 00", b"@4 run", b"read 0 9"], sizes=(7, 9))
@example(
    lines=[b"load 99999999999", b"read 99999999999", b"load", b"load 0", b"load 0 05 6", b"read 0 1 2"], sizes=(1, 1)
)
def test_the_firmware_and_the_device_model_answer_alike(
    driver: Driver, lines: list[bytes], sizes: tuple[int, int]
) -> None:
    content = b"".join(line + b"\n" for line in lines)
    _, *replies = driver(content, "protocol", *map(str, sizes)).splitlines()
    assert [alike(reply) for reply in model(*sizes).feed(content).splitlines()] == [alike(reply) for reply in replies]
