# SPDX-License-Identifier: Apache-2.0
"""Inferences over a link: in one line where the tensors fit it, by load, run and read where they do not."""

from __future__ import annotations

from collections.abc import Callable

from tinyproof.core.errors import BoardError
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.protocol import status
from tinyproof.host.protocol.framing import frame, frame_binary
from tinyproof.host.protocol.messages import Answer, Info, parse_answer, parse_digest, parse_hex, parse_ticks
from tinyproof.host.protocol.numbers import shortest
from tinyproof.host.transport.client import WINDOW_SEQS, DeviceError, Link

ANSWER_BYTES = 16  # longest share of an output's byte in a reply: q and y, with their commas
REPLY_BYTES = 256  # and of all else
READ_FRAME_BYTES = 37  # FRAME_BYTES of firmware/lib/protocol: all but the hex digits in a reply to `read`


class Inference:
    """`greet` asks the board who it is, and raises when it has become another board: so whenever it has restarted."""

    def __init__(
        self, link: Link, info: Info, layouts: tuple[TensorLayout, TensorLayout], greet: Callable[[], Info]
    ) -> None:
        self.link = link
        self.info = info
        self.inputs, self.outputs = layouts
        self.resets = 0
        self.on_part: Callable[[int], None] | None = None  # told how many bytes of a long input are loaded
        self.greet = greet
        self._banners = link.banners
        self._too_long: set[bool] = set()  # with_y of the questions whose answers do not fit the board's line
        self._by_parts_only = any(tensor.dtype == "int64" for layout in layouts for tensor in layout.tensors)
        link.splitter.limit = max(link.splitter.limit, info.out_bytes * ANSWER_BYTES + REPLY_BYTES)

    def from_bytes(self, content: bytes) -> Answer:
        """The answer to the bytes of all inputs."""
        answer = None
        if not self._by_parts_only:
            answer = self._in_one_line("q " + " ".join(map(str, self.inputs.values(content))), with_y=False)
        return self.by_parts(content) if answer is None else answer

    def reset(self) -> None:
        """Brings the model's state to where it begins."""
        self.link.request("reset")
        self._after()

    def many(self, seed: int, first: int, count: int) -> int:
        """The digest of inferences that the board makes the inputs of, from a reset on; the last output may be read."""
        text = self.link.request(f"many {seed} {first} {count}")
        parse_ticks(text)
        self._after()
        return parse_digest(text)

    @property
    def most_requests(self) -> int:
        """How many requests an inference may take, where its tensors go by parts."""
        return (
            -(-self.inputs.size_bytes // self._load_bytes(self.inputs.size_bytes))
            + 1
            + (-(-self.info.out_bytes // self._read_bytes))
        )

    def from_real(self, x: list[float]) -> Answer | None:
        """The answer to real values, quantized by the board; None when they or the answer do not fit its line."""
        return None if self._by_parts_only else self._in_one_line("x " + " ".join(map(shortest, x)), with_y=True)

    def _in_one_line(self, request: str, *, with_y: bool) -> Answer | None:
        if with_y in self._too_long or len(frame(request, 65535)) - 1 > self.info.line_bytes:
            return None
        try:
            text = self.link.request(request)
        except DeviceError as error:
            if error.code != status.LENGTH:
                raise
            self._too_long.add(with_y)  # the request fits, so it is the answer that does not, and never will
            return None
        answer = parse_answer(text, self.outputs, with_y=with_y)
        self._after()
        return answer

    def _after(self) -> bool:
        """Whether the board has restarted since the last look; if so, it is asked again who it is."""
        if self.link.banners == self._banners:
            return False
        self.resets += 1
        self.greet()
        self._banners = self.link.banners
        return True

    def by_parts(self, content: bytes) -> Answer:
        """load, run, read as one transaction: a restart in between loses the tensors, and all begins again."""
        for attempt in range(self.link.retries + 1):
            try:
                answer = self._load_run_read(content)
            except DeviceError as error:
                if error.code != status.STATE or attempt == self.link.retries:
                    raise
                self._after()
                continue
            if not self._after():
                return answer
        raise BoardError(f"the board on {self.link.name} restarts during every inference; is its power supply sound?")

    def _load_run_read(self, content: bytes) -> Answer:
        self._load(content)
        ticks, unit = parse_ticks(self.link.request("run"))
        output = self.read_output()
        return Answer(output, self.outputs.values(output), None, ticks, unit)

    def read_output(self) -> bytes:
        """The output of the last inference. Raises DeviceError where the board has restarted since."""
        output = b""
        longest = self._read_bytes
        while len(output) < self.info.out_bytes:
            count = min(longest, self.info.out_bytes - len(output))
            output += parse_hex(self.link.request(f"read {len(output)} {count}"), count)
        return output

    def _load(self, content: bytes) -> None:
        """All of the input, without a wait for each answer where the board has the room. The answer to the last piece
        is awaited: no byte comes or goes while the board measures its inference."""
        step = self._load_bytes(len(content))

        def line(offset: int) -> Callable[[int], bytes]:
            piece = content[offset : offset + step]
            if self.info.binary_bytes:
                return lambda seq: frame_binary(offset, piece, seq)
            return lambda seq: frame(f"load {offset} {piece.hex().upper()}", seq)

        def answered(count: int) -> None:
            if self.on_part is not None:
                self.on_part(min(count * step, len(content)))

        self.link.in_window([line(offset) for offset in range(0, len(content), step)], self.info.window_bytes, answered)

    def _load_bytes(self, size: int) -> int:
        """Of a tensor of `size` bytes, what a request takes: a line is worth filling, for each costs a reply."""
        in_hex = (self.info.line_bytes - (len(frame(f"load {size} ", WINDOW_SEQS[-1])) - 1)) // 2
        return self.info.binary_bytes or max(1, in_hex)

    @property
    def _read_bytes(self) -> int:
        return max(1, (self.info.line_bytes - READ_FRAME_BYTES) // 2)
