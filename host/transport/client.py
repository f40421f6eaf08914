# SPDX-License-Identifier: Apache-2.0
"""Requests over a serial port, with sequence numbers, CRC, timeouts and retries: one at a time, or in a window.

Never hangs: a request takes at most (retries + 1) * timeout_s, whatever the device sends or does not send (once in a
session, where the line is at another speed than its base, so much and the way back more), and all of them together no
longer than `Link.limit` says.
"""

from __future__ import annotations

import contextlib
import math
import random
import re
import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import serial

from tinyproof.core.errors import BoardError, MismatchError
from tinyproof.host.protocol import status
from tinyproof.host.protocol.framing import LineSplitter, Reply, decode, frame, show
from tinyproof.host.transport.ports import READ_BYTES, PortPolicy, close_port, open_port
from tinyproof.host.transport.received import ReceivedBytes
from tinyproof.host.transport.speed import FAST_ATTEMPTS, LineSpeed
from tinyproof.host.transport.window import Round

# Sequence numbers stay below this: a line keeps its order, so only answers to the latest few requests can come late,
# and every byte costs: 87 us at 115,200 baud, about as much as two system calls of an emulator.
SEQ_WRAP = 100
QUIET_S = 0.02  # a line that is silent this long has said what it had to say
RESYNC_S = 0.2  # and this is how long a resync waits for that at most
LATE_REQUESTS = 8  # in a row, each answered only when the next attempt was made: the board is one answer behind
_MEASURED = re.compile(r"(?:^| )(?:t|stack)=\d+\w*")  # what a repeat may find otherwise, its answer being the same
WINDOW_SEQS = range(SEQ_WRAP, 10_000)  # in a window, where much may be on its way again and late
BITS_PER_BYTE = 10  # on the wire, with start and stop
POLL_S = 0.001  # between two looks at a port that has no file descriptor (rfc2217)


class SilentBoardError(BoardError):
    """The board gave no usable answer in all attempts."""


class ContradictionError(MismatchError):
    """The board gave two answers to one request, and they disagree: whichever is right, it proves nothing."""

    def __init__(self, request: str, first: str, second: str) -> None:
        super().__init__(
            f"the board gave two different answers to `{request[:40]}`: {show(first.encode())}, then "
            f"{show(second.encode())}; neither is a proof"
        )


class DeviceError(BoardError):
    """The device answered `err CODE`."""

    def __init__(self, request: str, code: int, words: str) -> None:
        super().__init__(f"the board answered `{request[:40]}` with {status.explain(code)}")
        self.code = code
        self.words = words


class Link:
    """An open port that answers requests. A context manager; leaving it closes the port.

    Counters for the report: `requests`, `repeats` (sent again), `banners` (the board restarted, or may have).
    """

    def __init__(
        self, name: str, policy: PortPolicy, timeout_s: float, retries: int, first_seq: int | None = None
    ) -> None:
        """Raises BoardError or UsageError when the port cannot be opened.

        A random first sequence number keeps late replies to an earlier program's requests from looking like ours.
        """
        self.name = name
        self.timeout_s = timeout_s
        self.retries = retries
        self.requests = 0
        self.repeats = 0
        self.banners = 0
        self.splitter = LineSplitter()
        self._answered: tuple[str, Reply] | None = None  # the request before this one
        self._late = 0  # requests in a row that were answered one too late
        self._end_s = math.inf  # when all has to be over, by the monotonic clock
        self._limit_s = math.inf
        self._seq = random.randrange(SEQ_WRAP) if first_seq is None else first_seq
        self._window_seq = random.randrange(len(WINDOW_SEQS))
        self.speed = LineSpeed(policy.baud, self._set_port_baud, self._ask_once)
        self._port: Any = open_port(name, policy, timeout_s)
        self._fd = _descriptor(self._port)
        self._resync = True
        if policy.settle_s:
            time.sleep(policy.settle_s)

    def __enter__(self) -> Link:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port; a board that resets when it opens is left running, at its base speed."""
        with contextlib.suppress(serial.SerialException, OSError):
            self.speed.end()
        close_port(self._port)

    def limit(self, seconds: float) -> None:
        """From now on, requests are answered for so long; then each of them raises SilentBoardError."""
        self._limit_s, self._end_s = seconds, time.monotonic() + seconds

    def request(self, content: str, retries: int | None = None) -> str:
        """Fields of the device's `ok` to `content`, after as many retries with the same SEQ as it takes.

        Raises DeviceError for an `err`, SilentBoardError when no attempt was answered or the limit is reached,
        BoardError when the port closed, ContradictionError for two answers that disagree.
        """
        retries = self.retries if retries is None else retries
        self.requests += 1
        seen = ReceivedBytes()
        with self._faults_in_words(content):
            self._mind_speed()
            line = frame(content, self._next_seq())
            reply = None
            if self.speed.is_other:
                reply = self._attempts(line, content, min(retries + 1, FAST_ATTEMPTS), seen)
                # The board may still be computing. Else both go back to the base, and begin anew.
                reply = reply or self._await(seen, content, self.speed.hold_left_s())
                if reply is None:
                    self._slow_down()
            reply = reply or self._attempts(line, content, retries + 1, seen)
        if reply is None:
            raise self._silent(content, retries, seen)
        self._answered = content, reply
        if reply.code:
            raise DeviceError(content, reply.code, reply.text)
        return reply.text

    def _attempts(self, line: bytes, content: str, attempts: int, seen: ReceivedBytes) -> Reply | None:
        """The reply to `line`, sent up to so many times."""
        if self._resync:
            self._drain()
        for attempt in range(attempts):
            self._keep_limits(seen)
            self.repeats += attempt > 0
            # An empty line before a repeat ends whatever the device still holds of a request that lost its LF.
            self._send(b"\n" + line if attempt or self._resync else line)
            reply = self._await(seen, content, self.timeout_s)
            if reply is not None:
                self._resync = False
                self._late = self._late + 1 if attempt and seen.one_late else 0
                return reply
        return None

    def _ask_once(self, content: str, wait_s: float) -> Reply | None:
        """The reply within `wait_s` to a request that is sent once, a complaint without SEQ, or None."""
        line = frame(content, self._next_seq())
        self.splitter.clear()
        self._send(b"\n" + line)
        found: list[Reply] = []
        deadline = time.monotonic() + wait_s
        while not found and (left := deadline - time.monotonic()) > 0:
            found = self._replies(left, lambda seq: seq == self._seq, ReceivedBytes())
        return found[-1] if found else None

    def _next_seq(self) -> int:
        self._seq = (self._seq + 1) % SEQ_WRAP
        return self._seq

    def _send(self, content: bytes) -> None:
        self._port.write(content)
        self.speed.sent()

    def _set_port_baud(self, baud: int) -> None:
        self._port.baudrate = baud
        self._resync = True

    def _mind_speed(self) -> None:
        """Before a request: both sides at one speed, the one that is wanted where the line bears it."""
        if self.speed.lapse() and self._drain():
            self.banners += 1  # a line that nobody uses is silent: it was a banner, at a speed that was not the host's
        if not self.speed.rise():
            self.banners += 1

    def _slow_down(self) -> None:
        """Gives up a speed at which the device was not heard: it may have restarted, and its banner been missed."""
        self.speed.give_up("requests were not answered")
        self.banners += 1

    def in_window(
        self, lines: Sequence[Callable[[int], bytes]], window_bytes: int, done: Callable[[int], None] | None = None
    ) -> None:
        """Sends the line that each of `lines` makes of a SEQ, with at most `window_bytes` of them unanswered at any
        time, but one at least. They must be such as may be repeated, and be refused when one before them was lost:
        after any trouble all are sent again from the first without an answer. `done` hears how many have been answered.

        Raises DeviceError when the board refuses one though all before it were answered; else as `request` does.
        """
        first, failures, seen = 0, 0, ReceivedBytes()
        late: dict[int, int] = {}
        trouble = False
        self.requests += len(lines)
        with self._faults_in_words("load"):
            self._mind_speed()
        while first < len(lines):
            name = _verb_of(lines[first](0))
            self._keep_limits(seen)
            if self.speed.is_other and failures >= FAST_ATTEMPTS:
                with self._faults_in_words(name):
                    self._slow_down()
                failures = 0
            if failures > self.retries:
                raise self._silent(name, self.retries, seen)
            with self._faults_in_words(name):
                sent = self._round(lines, Round(first, first, late, careful=trouble), window_bytes, seen, done)
            late |= {seq: index for seq, (index, _) in sent.on_the_way.items()}
            self.repeats += sent.next - first - len(sent.answered)
            before = first
            while first in sent.answered:
                first += 1
            if (refused := sent.refused.get(first)) is not None:
                raise DeviceError(_verb_of(lines[first](0)), refused.code, refused.text)
            trouble = True
            failures = 0 if first > before else failures + 1

    def _round(
        self,
        lines: Sequence[Callable[[int], bytes]],
        sent: Round,
        window_bytes: int,
        seen: ReceivedBytes,
        done: Callable[[int], None] | None,
    ) -> Round:
        """Sends `lines` from the round's first on until all are answered, or one is not."""
        deadline = time.monotonic() + self.timeout_s
        while True:
            while sent.has_room and sent.next < len(lines):
                seq = WINDOW_SEQS[self._window_seq]
                line = lines[sent.next](seq)
                if sent.flying and sent.flying + len(line) > window_bytes:
                    break
                self._window_seq = (self._window_seq + 1) % len(WINDOW_SEQS)
                self._send(b"\n" + line if self._resync else line)
                self._resync = False
                sent.late.pop(seq, None)
                sent.on_the_way[seq] = (sent.next, len(line))
                sent.flying += len(line)
                sent.next += 1
                deadline = time.monotonic() + self.timeout_s + sent.flying * BITS_PER_BYTE / self.speed.present
            if sent.over:
                break
            left = deadline - time.monotonic()
            if left <= 0:
                break
            for reply in self._replies(left, sent.awaits, seen):
                sent.take(reply)
                deadline = time.monotonic() + self.timeout_s + sent.flying * BITS_PER_BYTE / self.speed.present
                if done is not None and not sent.failed:
                    done(sent.first + len(sent.answered))
        self._resync = sent.failed or bool(sent.on_the_way)
        return sent

    @contextmanager
    def _faults_in_words(self, content: str) -> Iterator[None]:
        try:
            yield
        except serial.SerialTimeoutException as error:
            raise SilentBoardError(
                f"port {self.name} takes no more bytes: the board has stopped reading; reset it"
            ) from error
        except (serial.SerialException, OSError) as error:
            raise BoardError(
                f"port {self.name} closed during `{content[:40]}` ({str(error)[:80]}); "
                "was the board unplugged, or did its emulator stop?"
            ) from error

    def _silent(self, content: str, retries: int, seen: ReceivedBytes) -> SilentBoardError:
        self._resync = True
        return SilentBoardError(
            f"no answer from {self.name} to `{content[:40]}` in {retries + 1} attempts of {self.timeout_s:g} s: "
            f"{seen.describe()}; is tinyproof's firmware on the board, and the port held by no other program?"
        )

    def _keep_limits(self, seen: ReceivedBytes) -> None:
        if self._late >= LATE_REQUESTS:
            raise SilentBoardError(
                f"the answers are one late: {self._late} requests in a row to {self.name} were answered when they were "
                "repeated; reset the board, or let no other program use the port"
            )
        if time.monotonic() > self._end_s:
            raise SilentBoardError(
                f"{self.name} has not answered everything within {self._limit_s:g} s, after {self.requests:,} "
                f"requests and {self.repeats:,} repeats; lately {seen.describe()}; allow more with --total"
            )

    def _drain(self) -> int:
        """Resync: read what came before the first request (banner, boot noise) until the line is quiet; how many
        bytes."""
        count, now = 0, time.monotonic()
        end, quiet = now + RESYNC_S, now + QUIET_S
        while (now := time.monotonic()) < min(end, quiet):
            if content := self._read(min(end, quiet) - now):
                count += len(content)
                quiet = time.monotonic() + QUIET_S
        self.splitter.clear()
        return count

    def _await(self, seen: ReceivedBytes, request: str, wait_s: float) -> Reply | None:
        """The reply to the current SEQ; None when the time is over or the device asks for a repeat. Raises
        ContradictionError where two that came together disagree."""
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            replies = self._replies(left, lambda seq: seq == self._seq, seen)
            found: Reply | None = None
            for reply in replies:
                if reply.seq is not None:
                    refuse_contradiction(request, found, reply)
                    found = reply
            if found is not None:
                return found
            if replies:
                return None
        return None

    def _replies(self, wait_s: float, awaits: Callable[[int], bool], seen: ReceivedBytes) -> list[Reply]:
        """What has come of answers with a SEQ that is awaited, and of `err 2 crc`."""
        content = self._read(wait_s)
        seen.count += len(content)
        found = (self._sort(line, awaits, seen) for line in self.splitter.feed(content))
        return [reply for reply in found if reply is not None]

    def _sort(self, line: bytes, awaits: Callable[[int], bool], seen: ReceivedBytes) -> Reply | None:
        """The line as a reply that is awaited (or `err 2 crc`, without SEQ); None for anything else."""
        if not line:
            return None
        seen.lines += 1
        reply = decode(line)
        if reply is None:
            if b"# " in line or line.startswith(b"#"):  # also at the end of a line that a reset cut short
                seen.banners += 1
                self.banners += 1
            else:
                seen.damaged += 1
                seen.last = line
            return None
        if reply.seq is not None and awaits(reply.seq):
            self.speed.heard()
            return reply
        if reply.seq is None and reply.code == status.CRC:
            seen.crc_errors += 1
            return reply
        seen.stale += 1
        if self._answered is not None and reply.seq == self._answered[1].seq:
            seen.one_late = True
            refuse_contradiction(self._answered[0], self._answered[1], reply)
        return None

    def _read(self, wait_s: float) -> bytes:
        """What has come, after waiting for it at most `wait_s` seconds."""
        if self._fd is not None:
            if not select.select([self._fd], [], [], wait_s)[0]:
                return b""
            content: bytes = self._port.read(READ_BYTES)
            return content
        content = self._port.read(max(1, self._port.in_waiting))
        if not content:
            time.sleep(min(POLL_S, wait_s))
        return content


def refuse_contradiction(request: str, first: Reply | None, second: Reply) -> None:
    """Raises ContradictionError where two replies to one request are ok, and say other things, whatever time they took
    and however deep the stack has gone: a request that was repeated is computed twice. A board that restarts in
    between may refuse the second."""
    if first is None or first.code or second.code:
        return
    if _MEASURED.sub("", first.text) != _MEASURED.sub("", second.text):
        raise ContradictionError(request, first.text, second.text)


def _verb_of(line: bytes) -> str:
    """The words of a line that are text, without its SEQ, for a message."""
    return line.partition(b" ")[2].partition(b":")[0].decode("ascii", "replace").rstrip()


def _descriptor(port: Any) -> int | None:
    try:
        return int(port.fileno())
    except (AttributeError, OSError):  # io.UnsupportedOperation, of ports that have none, is an OSError
        return None
