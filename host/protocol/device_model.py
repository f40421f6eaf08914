# SPDX-License-Identifier: Apache-2.0
"""Protocol version 1 from the device's side, in Python: what board `reference` and the fault tests answer with.

Written from docs/protocol.md and apart from the firmware, so that the host is tested against two devices that share no
code; only the CRCs, the float32 arithmetic and the inputs of `many` are the host's own. A test holds the two to the
same answers.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.arithmetic import float32, quantize
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.protocol.framing import crc16, unescape
from tinyproof.host.protocol.numbers import float_bits
from tinyproof.host.protocol.status import CODES, CRC, ENGINE, LENGTH, RANGE, STATE, SYNTAX

LINE_BYTES = 1024  # longest request, without LF, but for the bytes of a binary load
BINARY_BYTES = 1024  # most of one binary load
WINDOW_BYTES = 4096  # of requests on their way unanswered
MANY_VERSION = 1  # of the inputs of `many`
MANY_COUNT = 1024  # most inferences of one
FRAME_BYTES = 37  # of a reply, around its values
Q_BYTES = {"int8": 5, "uint8": 4, "int16": 7, "int32": 12, "bool": 2}  # of a value, with its comma; int64 has no words
Y_BYTES = 9
HELP = (
    "info | x V... | q Q... | load OFFSET HEX | run | read OFFSET COUNT | many SEED FIRST COUNT | reset | "
    "baud B [PATTERN] | or a number x"
)
EXPONENT_MAX = 99
OFFSET_MAX = 2**31 - 1

_BINARY_HEAD = re.compile(rb"(?:@([0-9]+) +)? *load +([0-9]+) *")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([-+]?[0-9]+))?")


class Refusal(Exception):  # noqa: N818 - not an error of the program: the device's answer to a request it cannot serve
    """A request that is answered `err CODE`; `code` is one of the protocol's."""

    def __init__(self, code: int) -> None:
        super().__init__(CODES[code][0])
        self.code = code


@dataclass
class Device:
    """`run` maps the bytes of all inputs to those of all outputs; `reset_state` brings a model with `state_bytes` of
    state to where it begins."""

    model_id: str
    inputs: TensorLayout
    outputs: TensorLayout
    run: Callable[[bytes], bytes]
    reset_state: Callable[[], None] = lambda: None
    state_bytes: int = 0
    board: str = "reference"
    engine: str = "reference"
    line_bytes: int = LINE_BYTES
    binary_bytes: int = BINARY_BYTES  # 0: as a device of before there were binary loads and windows
    window_bytes: int = WINDOW_BYTES
    many: int = MANY_VERSION  # 0: it makes no inputs itself
    base_baud: int = 0
    set_baud: Callable[[int], bool] = lambda baud: False
    keep_baud: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._buffer = bytearray()
        self._overlong = False
        self.reset()

    def reset(self) -> None:
        """As after power-up: no input loaded, nothing to read, and the model where it begins."""
        self.reset_state()
        self.loaded = bytearray()
        self.result: bytes | None = None
        self.run_seq: int | None = None
        self.run_us = 0

    def banner(self) -> bytes:
        """The remark that a device sends when it starts."""
        return f"# tinyproof {self.board} {self.engine} {self.model_id}\n".encode()

    def feed(self, content: bytes) -> bytes:
        """Replies to all requests that `content` completes."""
        replies = b""
        *ends, rest = content.replace(b"\r", b"").split(b"\n")
        for end in ends:
            self._append(end)
            replies += self._overlong_reply() if self._overlong else self.answer(bytes(self._buffer))
            self._buffer.clear()
            self._overlong = False
        self._append(rest)
        return replies

    def _append(self, content: bytes) -> None:
        if not self._overlong and self._is_binary(bytes(self._buffer + content)):  # its bytes need no buffer
            self._buffer += content
            return
        room = self.line_bytes - len(self._buffer)
        self._overlong = self._overlong or len(content) > room
        self._buffer += content[:room]

    def _is_binary(self, line: bytes) -> bool:
        head, colon, _ = line.partition(b":")
        return bool(self.binary_bytes and colon and len(head) <= self.line_bytes and _BINARY_HEAD.fullmatch(head))

    @staticmethod
    def _overlong_reply() -> bytes:
        return f"err {LENGTH} {CODES[LENGTH][0]}\n".encode()

    def answer(self, line: bytes) -> bytes:
        """The reply line to one request line (without LF and CR); empty for an empty line."""
        if not line:
            return b""
        if self._is_binary(line):
            return self._answer_binary(line)
        body, star, crc = line.partition(b"*")
        if star and crc != b"%04X" % crc16(body):
            return self._reply(f"err {CRC} {CODES[CRC][0]}", None, checked=True)
        seq = None
        try:
            words = [word for word in body.decode("latin-1").split(" ") if word]
            if body.startswith(b"@"):
                seq = _integer(words.pop(0)[1:], 0, 65535, signed=False)
            text = self._serve(words, seq)
        except Refusal as refusal:
            text = f"err {refusal.code} {refusal}"
        if star:
            self.keep_baud()
        return self._reply(text, seq, bool(star))

    def _answer_binary(self, line: bytes) -> bytes:
        """As on a board, which writes the bytes down as they come: from OFFSET on nothing that was there is left, even
        where the CRC then says that the line is damaged."""
        head, _, rest = line.partition(b":")
        escaped, _, crc = rest.partition(b"*")
        match = _BINARY_HEAD.fullmatch(head)
        assert match is not None
        seq, error = None, 0
        try:
            seq = None if match[1] is None else _integer(match[1].decode(), 0, 65535, signed=False)
            offset = _integer(match[2].decode(), 0, OFFSET_MAX, signed=False)
            if offset > self.inputs.size_bytes:
                raise Refusal(RANGE)
            if offset > len(self.loaded):
                raise Refusal(STATE)
        except Refusal as refusal:
            error = refusal.code
        else:
            del self.loaded[offset:]
            self.result = self.run_seq = None
        if crc != b"%04X" % crc16(head + b":" + escaped):
            return self._reply(f"err {CRC} {CODES[CRC][0]}", None, checked=True)
        self.keep_baud()
        if not error:
            error = self._take_binary(escaped)
        return self._reply(f"err {error} {CODES[error][0]}" if error else "ok", seq, checked=True)

    def _take_binary(self, escaped: bytes) -> int:
        content = unescape(escaped)
        whole = unescape(escaped[:-1]) if content is None else content
        assert whole is not None
        if len(self.loaded) + len(whole) > self.inputs.size_bytes:
            return RANGE
        if not content:
            return SYNTAX
        self.loaded += content
        return 0

    @staticmethod
    def _reply(text: str, seq: int | None, checked: bool) -> bytes:
        body = (text if seq is None else f"@{seq} {text}").encode("ascii")
        return body + (b"*%04X\n" % crc16(body) if checked else b"\n")

    def _serve(self, words: list[str], seq: int | None) -> str:
        match words:
            case ["info"]:
                return self._info()
            case ["x", *values]:
                q = self._infer_values(values, Y_BYTES, self._level, seq)
                y = ",".join(f"{float_bits(real):08X}" for real in self.outputs.dequantize(q))
                return f"ok q={','.join(map(str, q))} y={y} t={self.run_us}us"
            case ["q", *values]:
                q = self._infer_values(values, 0, _element, seq)
                return f"ok q={','.join(map(str, q))} t={self.run_us}us"
            case ["load" | "read" | "run" as verb, *rest]:
                return self._by_parts(verb, rest, seq)
            case ["many", *rest] if self.many:
                return self._many(rest)
            case ["reset"]:
                self._spend()
                self.reset_state()
                return "ok"
            case ["baud", *rest]:
                return self._change_speed(rest)
            case ["help"]:
                return f"ok {HELP}"
            case [first, *_] if first[0] in "0123456789+-.":
                return self._for_people(words)
        raise Refusal(SYNTAX)

    def _change_speed(self, rest: list[str]) -> str:
        """The new speed, and perhaps a word that comes back."""
        (baud,) = _counts(rest, 1)
        if len(rest) > 2:
            raise Refusal(SYNTAX)
        if not self.base_baud or not self.set_baud(baud):
            raise Refusal(RANGE)
        return f"ok {''.join(rest[1:])}"

    def _by_parts(self, verb: str, rest: list[str], seq: int | None) -> str:
        """Tensors that do not fit a line."""
        if verb == "run":
            if rest:
                raise Refusal(SYNTAX)
            return self._run(seq)
        offset, *more = _counts(rest, 1 if verb == "load" else 2)
        if len(rest) != 2:
            raise Refusal(SYNTAX)
        return self._load(offset, rest[1]) if verb == "load" else self._read(offset, *more)

    def _info(self) -> str:
        self.run_seq = None  # a new conversation may begin with any SEQ
        text = (
            f"ok tinyproof=1 board={self.board} engine={self.engine} model={self.model_id} "
            f"in={self.inputs.size_bytes} out={self.outputs.size_bytes} line={self.line_bytes}"
        )
        if self.binary_bytes:
            text += f" bin={self.binary_bytes} window={self.window_bytes}"
        text += f" many={self.many}" if self.many else ""
        types = f"{self.inputs.types}/{self.outputs.types}"
        text += "" if types == "int8/int8" else f" types={types}"
        text += f" state={self.state_bytes}" if self.state_bytes else ""
        return text + (f" baud={self.base_baud}" if self.base_baud else "")

    def _load(self, offset: int, digits: str) -> str:
        if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
            raise Refusal(SYNTAX)
        content = bytes.fromhex(digits)
        if offset + len(content) > self.inputs.size_bytes:
            raise Refusal(RANGE)
        if offset > len(self.loaded):
            raise Refusal(STATE)
        self.loaded[offset : offset + len(content)] = content
        self.result = None
        return "ok"

    def _run(self, seq: int | None) -> str:
        """A repeat with the same SEQ means that the reply was lost: it is given again, without a second inference."""
        if self.result is None or seq is None or seq != self.run_seq:
            if len(self.loaded) != self.inputs.size_bytes:
                raise Refusal(STATE)
            self._infer(bytes(self.loaded))
            self.run_seq = seq
        return f"ok t={self.run_us}us"

    def _read(self, offset: int, count: int) -> str:
        if offset + count > self.outputs.size_bytes:
            raise Refusal(RANGE)
        if 2 * count > self.line_bytes - FRAME_BYTES:
            raise Refusal(LENGTH)
        if self.result is None:
            raise Refusal(STATE)
        return f"ok {self.result[offset : offset + count].hex().upper()}"

    def _many(self, rest: list[str]) -> str:
        from tinyproof.core.tflite.made_inputs import digest_of, digest_of_all, make_input  # brings in numpy

        seed, first, count = _counts(rest, 3)
        if len(rest) != 3:
            raise Refusal(SYNTAX)
        if not 1 <= count <= MANY_COUNT:
            raise Refusal(RANGE)
        self._spend()
        self.reset_state()
        digests, elapsed_us = [], 0
        for index in range(first, first + count):
            content = make_input(self.inputs.tensors, seed, index & 0xFFFFFFFF)
            self._infer(content)
            assert self.result is not None
            digests.append(digest_of(content, self.result))
            elapsed_us += self.run_us
        return f"ok {digest_of_all(digests):08X} t={elapsed_us}us"

    def _for_people(self, values: list[str]) -> str:
        q = self._infer_values(values, Y_BYTES, self._level, None)
        clamped = self.outputs.at_end(q) or self.inputs.saturates([float32(float(value)) for value in values])
        y = ", ".join(map(short_decimal, self.outputs.dequantize(q)))
        return f"y = {y} (q = {', '.join(map(str, q))}, {self.run_us} us{', saturated' if clamped else ''})"

    def _infer_values(
        self, values: list[str], more_bytes: int, level: Callable[[str, TensorSpec], int], seq: int | None
    ) -> tuple[int, ...]:
        """Outputs, each with `more_bytes` beside its own in the reply, which must fit a line as the request does. A
        request that is repeated does not move a state on a second time."""
        text_bytes = 0
        for tensor in self.outputs.tensors:
            if tensor.dtype not in Q_BYTES:
                raise Refusal(LENGTH)
            text_bytes += tensor.elements * (Q_BYTES[tensor.dtype] + more_bytes)
        if text_bytes > self.line_bytes - FRAME_BYTES or any(t.dtype not in Q_BYTES for t in self.inputs.tensors):
            raise Refusal(LENGTH)
        if not (self.state_bytes and self.result is not None and seq is not None and seq == self.run_seq):
            self._spend()
            slots = [tensor for tensor in self.inputs.tensors for _ in range(tensor.elements)]
            spare = self.inputs.tensors[:1] * max(0, len(values) - len(slots))
            content = [level(value, tensor) for value, tensor in zip(values, [*slots, *spare], strict=False)]
            if len(content) != len(slots):
                raise Refusal(LENGTH)
            self._infer(self.inputs.content(content))
            self.run_seq = seq
        assert self.result is not None
        return self.outputs.values(self.result)

    @staticmethod
    def _level(value: str, tensor: TensorSpec) -> int:
        number = _NUMBER.fullmatch(value)
        if number is None:
            raise Refusal(SYNTAX)
        real = float32(float(value))
        if not math.isfinite(real) or abs(int(number[1] or 0)) > EXPONENT_MAX:
            raise Refusal(RANGE)
        return quantize(real, tensor.scale, tensor.zero_point, tensor.dtype)

    def _spend(self) -> None:
        """As on a board, where an inference may overwrite its input, and input and output share memory."""
        self.loaded.clear()
        self.result = self.run_seq = None

    def _infer(self, content: bytes) -> None:
        self._spend()
        start = time.perf_counter_ns()
        try:
            output = self.run(content)
        except RuntimeError as error:  # the interpreter's own failures
            raise Refusal(ENGINE) from error
        self.result, self.run_us = output, (time.perf_counter_ns() - start) // 1000


def _element(value: str, tensor: TensorSpec) -> int:
    dtype = DTYPES[tensor.dtype]
    return _integer(value, dtype.low, dtype.high)


def _counts(words: list[str], number: int) -> list[int]:
    """The first words as counts or offsets, of which none may be missing."""
    counts = [_integer(word, 0, OFFSET_MAX, signed=False) for word in words[:number]]
    if len(counts) < number:
        raise Refusal(SYNTAX)
    return counts


def _integer(text: str, low: int, high: int, *, signed: bool = True) -> int:
    if not re.fullmatch(r"[-+]?[0-9]+" if signed else r"[0-9]+", text):
        raise Refusal(SYNTAX)
    if not low <= int(text) <= high:
        raise Refusal(RANGE)
    return int(text)


def short_decimal(value: float) -> str:
    """Four significant digits, ties away from zero, without zeros at the end: 18.98, -3, 1.5e-07; inf, nan."""
    if not math.isfinite(value) or value == 0:
        return f"{value + 0.0:g}"
    with localcontext(prec=4, rounding=ROUND_HALF_UP):
        rounded = +Decimal(value)
    if -4 <= rounded.adjusted() <= 6:
        text = f"{rounded:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{float(rounded):.4g}"
