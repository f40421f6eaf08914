# SPDX-License-Identifier: Apache-2.0
"""Protocol version 1 from the device's side, in Python: what board `reference` and the fault tests answer with.

Written from the protocol's description and apart from the firmware, so that the host is tested against two devices
that share no code; only the CRC and the float32 arithmetic are the host's own.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.arithmetic import at_end, dequantize, float32, quantize, saturates
from tinyproof.host.protocol.framing import crc16
from tinyproof.host.protocol.numbers import float_bits, int8s
from tinyproof.host.protocol.status import CODES, CRC, ENGINE, LENGTH, RANGE, STATE, SYNTAX

LINE_BYTES = 1024  # longest request, without LF
HELP = "verbs: info, x V..., q Q..., load OFFSET HEX, run, read OFFSET COUNT, help; or just a number"

_ENVELOPE = re.compile(rb"(?:@([0-9]{1,5}) )?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


class Refusal(Exception):  # noqa: N818 - not an error of the program: the device's answer to a request it cannot serve
    def __init__(self, code: int) -> None:
        super().__init__(CODES[code][0])
        self.code = code


@dataclass
class Device:
    """`run` maps the bytes of an int8 input tensor to those of the output tensor."""

    model_id: str
    input: TensorSpec
    output: TensorSpec
    run: Callable[[bytes], bytes]
    board: str = "reference"
    engine: str = "reference"

    def __post_init__(self) -> None:
        self._buffer = bytearray()
        self._overlong = False
        self.reset()

    def reset(self) -> None:
        """As after power-up: no input loaded, nothing to read."""
        self.loaded = bytearray()
        self.result: bytes | None = None
        self.run_seq: int | None = None
        self.run_us = 0

    def banner(self) -> bytes:
        return f"# tinyproof {self.board} {self.engine} {self.model_id}\n".encode()

    def feed(self, content: bytes) -> bytes:
        """Replies to all requests that `content` completes."""
        replies = b""
        *ends, rest = content.split(b"\n")
        for end in ends:
            self._append(end)
            replies += self._overlong_reply() if self._overlong else self.answer(bytes(self._buffer))
            self._buffer.clear()
            self._overlong = False
        self._append(rest)
        return replies

    def _append(self, content: bytes) -> None:
        room = LINE_BYTES - len(self._buffer)
        self._overlong = self._overlong or len(content) > room
        self._buffer += content[:room]

    @staticmethod
    def _overlong_reply() -> bytes:
        return f"err {LENGTH} {CODES[LENGTH][0]}\n".encode()

    def answer(self, line: bytes) -> bytes:
        """The reply line to one request line (without LF); empty for an empty line."""
        line = line.replace(b"\r", b"")
        if not line.strip(b" "):
            return b""
        checked = b"*" in line
        if checked:
            line, _, crc = line.rpartition(b"*")
            if crc != b"%04X" % crc16(line):
                return self._reply(f"err {CRC} {CODES[CRC][0]}", None, checked)
        envelope = _ENVELOPE.fullmatch(line)
        seq = None
        if envelope is not None and envelope[1] is not None and int(envelope[1]) < 65536:
            seq, line = int(envelope[1]), envelope[2]
        try:
            words = line.decode("ascii").split(" ")
            text = self._serve([word for word in words if word], seq)
        except UnicodeDecodeError:
            text = f"err {SYNTAX} {CODES[SYNTAX][0]}"
        except Refusal as refusal:
            text = f"err {refusal.code} {refusal}"
        return self._reply(text, seq, checked)

    @staticmethod
    def _reply(text: str, seq: int | None, checked: bool) -> bytes:
        body = (text if seq is None else f"@{seq} {text}").encode("ascii")
        return body + (b"*%04X\n" % crc16(body) if checked else b"\n")

    def _serve(self, words: list[str], seq: int | None) -> str:
        match words:
            case ["info"]:
                return (
                    f"ok tinyproof=1 board={self.board} engine={self.engine} model={self.model_id} "
                    f"in={self.input.bytes} out={self.output.bytes} line={LINE_BYTES}"
                )
            case ["x", *values]:
                q, microseconds = self._infer_real(values)
                y = ",".join(f"{float_bits(self._real(item)):08X}" for item in q)
                return f"ok q={','.join(map(str, q))} y={y} t={microseconds}us"
            case ["q", *values]:
                content = bytes(_integer(value, -128, 127) & 0xFF for value in values)
                if len(content) != self.input.bytes:
                    raise Refusal(LENGTH)
                output, microseconds = self._infer(content)
                return f"ok q={','.join(map(str, int8s(output)))} t={microseconds}us"
            case ["load", offset, digits]:
                return self._load(_integer(offset, 0, 2**31), digits)
            case ["run"]:
                return self._run(seq)
            case ["read", offset, count]:
                return self._read(_integer(offset, 0, 2**31), _integer(count, 0, 2**31))
            case ["help"]:
                return f"ok {HELP}"
            case [number] if _NUMBER.fullmatch(number):
                return self._for_people(number)
        raise Refusal(SYNTAX)

    def _load(self, offset: int, digits: str) -> str:
        if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
            raise Refusal(SYNTAX)
        content = bytes.fromhex(digits)
        if offset + len(content) > self.input.bytes:
            raise Refusal(RANGE)
        if offset > len(self.loaded):
            raise Refusal(STATE)
        self.loaded[offset : offset + len(content)] = content
        self.result = None
        return "ok"

    def _run(self, seq: int | None) -> str:
        """A repeat with the same SEQ means that the reply was lost: it is given again, without a second inference."""
        if self.result is None or seq is None or seq != self.run_seq:
            if len(self.loaded) != self.input.bytes:
                raise Refusal(STATE)
            self.result, self.run_us = self._infer(bytes(self.loaded))
            self.run_seq = seq
        return f"ok t={self.run_us}us"

    def _read(self, offset: int, count: int) -> str:
        if self.result is None:
            raise Refusal(STATE)
        if offset + count > self.output.bytes:
            raise Refusal(RANGE)
        if 2 * count > LINE_BYTES:
            raise Refusal(LENGTH)
        return f"ok {self.result[offset : offset + count].hex().upper()}"

    def _for_people(self, number: str) -> str:
        (q, *_), microseconds = self._infer_real([number])
        clamped = at_end(q, self.output.zero_point) or saturates(float(number), self.input.scale, self.input.zero_point)
        return f"y = {self._real(q):.2f} (q = {q}, {microseconds} us{', saturated' if clamped else ''})"

    def _infer_real(self, values: list[str]) -> tuple[tuple[int, ...], int]:
        if len(values) != self.input.bytes:
            raise Refusal(LENGTH)
        if not all(_NUMBER.fullmatch(value) for value in values):
            raise Refusal(SYNTAX)
        reals = [float32(float(value)) for value in values]
        if not all(math.isfinite(real) for real in reals):
            raise Refusal(RANGE)
        content = bytes(quantize(real, self.input.scale, self.input.zero_point) & 0xFF for real in reals)
        output, microseconds = self._infer(content)
        return int8s(output), microseconds

    def _infer(self, content: bytes) -> tuple[bytes, int]:
        self.loaded.clear()  # as on a board, where an inference may overwrite its input
        self.result = None
        start = time.perf_counter_ns()
        try:
            output = self.run(content)
        except RuntimeError as error:  # the interpreter's own failures
            raise Refusal(ENGINE) from error
        return output, (time.perf_counter_ns() - start) // 1000

    def _real(self, q: int) -> float:
        return dequantize(q, self.output.scale, self.output.zero_point)


def _integer(text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        raise Refusal(SYNTAX)
    if not low <= int(text) <= high:
        raise Refusal(RANGE)
    return int(text)
