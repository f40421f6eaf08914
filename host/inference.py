# SPDX-License-Identifier: Apache-2.0
"""Inferences over a link: in one line where the tensors fit it, by load, run and read where they do not."""

from __future__ import annotations

from collections.abc import Callable

from host import codes
from host.arithmetic import int8s, shortest
from host.framing import frame
from host.link import DeviceError, Link, SilentBoardError
from host.replies import Answer, Info, parse_answer, parse_hex, parse_ticks
from pipeline.errors import BoardError

ANSWER_BYTES = 16  # longest share of one output in a reply: q and y, with their commas
REPLY_BYTES = 256  # and of all else


class Inference:
    """`greet` is called whenever the board has restarted, and raises when it has become another board."""

    def __init__(self, link: Link, info: Info, greet: Callable[[], Info]) -> None:
        self.link = link
        self.info = info
        self.resets = 0
        self._greet = greet
        self._banners = link.banners
        link.splitter.limit = max(link.splitter.limit, info.out_bytes * ANSWER_BYTES + REPLY_BYTES)

    def from_int8(self, content: bytes) -> Answer:
        """The answer to an int8 input tensor."""
        request = "q " + " ".join(map(str, int8s(content)))
        if not self._fits(request):
            return self._by_parts(content)
        answer = parse_answer(self.link.request(request), self.info.out_bytes, with_y=False)
        self._after()
        return answer

    def from_real(self, x: list[float]) -> Answer | None:
        """The answer to real values, quantized by the board; None when they do not fit its line."""
        request = "x " + " ".join(map(shortest, x))
        if not self._fits(request):
            return None
        answer = parse_answer(self.link.request(request), self.info.out_bytes, with_y=True)
        self._after()
        return answer

    def _fits(self, request: str) -> bool:
        return len(frame(request, 65535)) - 1 <= self.info.line_bytes

    def _after(self) -> bool:
        """Whether the board has restarted since the last look; if so, it is asked again who it is."""
        if self.link.banners == self._banners:
            return False
        self.resets += 1
        self._greet()
        self._banners = self.link.banners
        return True

    def _by_parts(self, content: bytes) -> Answer:
        """load, run, read as one transaction: a `run` may eat its input and a restart loses it, so neither is retried
        alone."""
        for attempt in range(self.link.retries + 1):
            last = attempt == self.link.retries
            try:
                answer = self._load_run_read(content)
            except SilentBoardError:
                if last:
                    raise
                continue
            except DeviceError as error:
                if last or error.code != codes.STATE:
                    raise
                self._after()
                continue
            if not self._after():
                return answer
        raise BoardError(f"the board on {self.link.name} restarts during every inference; is its power supply sound?")

    def _load_run_read(self, content: bytes) -> Answer:
        # What a line leaves for hex digits, and for values in a reply that the device may keep in its line buffer.
        room = self.info.line_bytes - len(frame(f"load {len(content)} ", 65535))
        step = max(1, room // 2)
        for offset in range(0, len(content), step):
            self.link.request(f"load {offset} {content[offset : offset + step].hex().upper()}")
        ticks, unit = parse_ticks(self.link.request("run", retries=0))
        output = b""
        while len(output) < self.info.out_bytes:
            count = min(step, self.info.out_bytes - len(output))
            output += parse_hex(self.link.request(f"read {len(output)} {count}"), count)
        return Answer(int8s(output), None, ticks, unit)
