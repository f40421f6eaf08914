# SPDX-License-Identifier: Apache-2.0
"""Replies of a device as typed values. What a device sends is untrusted: each field is bounded before it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyproof.core.errors import BoardError
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.protocol.framing import show

PROTOCOL_VERSION = 1
MAX_TENSOR_BYTES = 1 << 24
MIN_LINE_BYTES = 64
MAX_LINE_BYTES = 1 << 16
MAX_BAUD = 100_000_000
UNITS = ("us", "insn", "cycle")

_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_MODEL_ID = re.compile(r"[0-9a-f]{16}")
_TYPES = re.compile(r"[a-z0-9]+(?:,[a-z0-9]+)*/[a-z0-9]+(?:,[a-z0-9]+)*")
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_TICKS = re.compile(rf"([0-9]{{1,10}})({'|'.join(UNITS)})")


@dataclass(frozen=True)
class Info:
    """What a device says of itself. `line_bytes`: its longest request without LF, and its longest reply to `read`.

    `startup_ticks`: what setting up the engine took, in the board's tick unit; 0 where it does not say.
    `arena_used_bytes`: what Google's interpreter took of its arena on this device; 0 for an engine without one.
    `types`: of the inputs and the outputs, in their order. `state_bytes`: of what lives on between inferences.
    `binary_bytes`: most of one binary `load`, 0: it has none. `window_bytes`: of loads that may be on their way
    unanswered, 0: each is to be awaited. `stack_bytes`: how deep the stack went so far; 0 where it does not say.
    `many`: the version of the inputs that it makes itself, 0: it makes none.
    `base_baud`: the line's speed at the start, which can be changed; 0: it cannot.
    """

    protocol: int
    board: str
    engine: str
    model: str
    in_bytes: int
    out_bytes: int
    line_bytes: int
    startup_ticks: int = 0
    arena_used_bytes: int = 0
    types: str = "int8/int8"
    state_bytes: int = 0
    binary_bytes: int = 0
    window_bytes: int = 0
    stack_bytes: int = 0
    many: int = 0
    base_baud: int = 0


@dataclass(frozen=True)
class Answer:
    """One inference: the bytes of all outputs and their values, IEEE-754 bits of what these stand for (`x` only), and
    its time in `unit`."""

    output: bytes
    q: tuple[int, ...]
    y_bits: tuple[int, ...] | None
    ticks: int
    unit: str


def parse_info(text: str) -> Info:
    """Raises BoardError naming the field that is missing or impossible, or the version that is not ours."""
    fields = _fields(text)
    protocol = _integer(fields, "tinyproof", 0, 65535)
    if protocol != PROTOCOL_VERSION:
        raise BoardError(
            f"the board speaks protocol version {protocol}, this host version {PROTOCOL_VERSION}; "
            "build and flash its firmware again"
        )
    return Info(
        protocol,
        _matching(fields, "board", _NAME),
        _matching(fields, "engine", _NAME),
        _matching(fields, "model", _MODEL_ID),
        _integer(fields, "in", 1, MAX_TENSOR_BYTES),
        _integer(fields, "out", 1, MAX_TENSOR_BYTES),
        _integer(fields, "line", MIN_LINE_BYTES, MAX_LINE_BYTES),
        _ticks(fields, "init")[0] if "init" in fields else 0,
        _integer(fields, "arena", 1, MAX_TENSOR_BYTES) if "arena" in fields else 0,
        _matching(fields, "types", _TYPES) if "types" in fields else "int8/int8",
        _integer(fields, "state", 1, MAX_TENSOR_BYTES) if "state" in fields else 0,
        _integer(fields, "bin", 1, MAX_LINE_BYTES) if "bin" in fields else 0,
        _integer(fields, "window", 1, MAX_TENSOR_BYTES) if "window" in fields else 0,
        _integer(fields, "stack", 1, MAX_TENSOR_BYTES) if "stack" in fields else 0,
        _integer(fields, "many", 1, 65535) if "many" in fields else 0,
        _integer(fields, "baud", 1, MAX_BAUD) if "baud" in fields else 0,
    )


def parse_answer(text: str, outputs: TensorLayout, *, with_y: bool) -> Answer:
    """Fields of `q` (q, t) and of `x` (q, y, t). Raises BoardError when one is missing, out of range or miscounted."""
    fields = _fields(text)
    types = [tensor.dtype for tensor in outputs.tensors for _ in range(tensor.elements)]
    q = tuple(_element(item, kind) for item, kind in zip(_list(fields, "q", len(types)), types, strict=True))
    y_bits = None
    if with_y:
        items = _list(fields, "y", len(types))
        if not all(re.fullmatch(r"[0-9A-Fa-f]{8}", item) for item in items):
            raise _fault("y", fields["y"])
        y_bits = tuple(int(item, 16) for item in items)
    ticks, unit = parse_ticks(text)
    return Answer(outputs.content(q), q, y_bits, ticks, unit)


def parse_ticks(text: str) -> tuple[int, str]:
    """`t=` of any reply: the count and its unit."""
    return _ticks(_fields(text), "t")


def parse_hex(text: str, count: int) -> bytes:
    """The bytes that `read` returns: exactly `count`, two hex digits each."""
    if not re.fullmatch(r"[0-9A-Fa-f]*", text) or len(text) != 2 * count:
        seen = show(text.encode("ascii", "replace"))
        raise BoardError(f"the board's answer is not {count} bytes in hex: {seen}; build and flash its firmware again")
    return bytes.fromhex(text)


def parse_digest(text: str) -> int:
    """What `many` returns of all its inferences: eight hex digits, and their time behind them."""
    word = text.partition(" ")[0]
    if not re.fullmatch(r"[0-9A-F]{8}", word):
        raise _fault("digest", word)
    return int(word, 16)


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for word in text.split():
        key, equals, value = word.partition("=")
        if equals and key in fields:
            raise BoardError(f"the board's answer has {key}= twice: {show(text.encode('ascii', 'replace'))}")
        fields[key] = value
    return fields


def _field(fields: dict[str, str], key: str) -> str:
    if key not in fields:
        seen = " ".join(fields) or "nothing"
        raise BoardError(f"the board's answer has no {key}= (it has: {seen[:60]}); build and flash its firmware again")
    return fields[key]


def _matching(fields: dict[str, str], key: str, pattern: re.Pattern[str]) -> str:
    value = _field(fields, key)
    if not pattern.fullmatch(value):
        raise _fault(key, value)
    return value


def _integer(fields: dict[str, str], key: str, low: int, high: int) -> int:
    value = _field(fields, key)
    if not re.fullmatch(r"[0-9]{1,9}", value) or not low <= int(value) <= high:
        raise _fault(key, value)
    return int(value)


def _list(fields: dict[str, str], key: str, count: int) -> list[str]:
    value = _field(fields, key)
    items = value.split(",")
    if len(items) != count:
        raise BoardError(f"the board's answer has {len(items)} values in {key}=, the model has {count} outputs")
    return items


def _ticks(fields: dict[str, str], key: str) -> tuple[int, str]:
    value = _field(fields, key)
    match = _TICKS.fullmatch(value)
    if match is None or int(match[1]) >= 1 << 32:
        raise _fault(key, value)
    return int(match[1]), match[2]


def _element(item: str, dtype: str) -> int:
    if not _NUMBER.fullmatch(item) or not DTYPES[dtype].low <= int(item) <= DTYPES[dtype].high:
        raise _fault("q", item)
    return int(item)


def _fault(key: str, value: str) -> BoardError:
    return BoardError(
        f"the board's answer has an impossible {key}={show(value.encode('ascii', 'replace'))}; "
        "build and flash its firmware again"
    )
