# SPDX-License-Identifier: Apache-2.0
"""The speed of a line that may be changed, and who is at which when.

A device starts at its base, changes when it is asked, and comes back by itself when no request has reached it whole for
HOLD_S. So both sides always meet again at the base: the host by waiting for longer than that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import serial

from tinyproof.host.protocol.framing import Reply

HOLD_S = 2.0  # SPEED_HOLD_S of firmware/lib/hal/speed.h
MARGIN_S = 0.25  # what the two clocks, the way through a bridge and a busy machine may be apart
SETTLE_S = 0.02  # for the device, and for a bridge on its way, to be at the new speed
REFUSED_WITHIN_S = 1.0  # what the base's answer may take, which is no more than a line each way
PING_S = 0.5
PING_TRIES = 2  # of each: what a busy machine or a bridge that changes just now delays is no fault of the speed
FAST_ATTEMPTS = 2  # to have a request answered at another speed, before that is given up
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "*")
# Words that come back: each character that a line of text may have, and the one whose bits change most often.
PATTERNS = (*(_PRINTABLE[start : start + 31] for start in range(0, len(_PRINTABLE), 31)), "U" * 31)


class LineSpeed:
    """`set_port` gives the host's side a speed; `ask` makes one attempt at a request, and returns its reply within so
    many seconds, one without SEQ for a complaint, or None."""

    def __init__(self, base: int, set_port: Callable[[int], None], ask: Callable[[str, float], Reply | None]) -> None:
        self.base = self.present = base
        self.note = ""  # why the line is at its base though another speed was wanted
        self._wanted = 0
        self._set_port = set_port
        self._ask = ask
        self._sent_s = self._heard_s = 0.0

    @property
    def is_other(self) -> bool:
        """Than the base."""
        return self.present != self.base

    def want(self, baud: int, announced: int) -> None:
        """From now on requests are to go at `baud`, 0: at the base. `announced`: the base as the device says it; 0: its
        line has no other speed."""
        if announced:
            self._wanted = 0 if baud == self.base else baud
        elif baud not in (0, self.base):
            self.note = (
                f"the board's line has one speed, or its firmware is of before there were more: not {baud:,} baud"
            )

    def sent(self) -> None:
        """A request has been written."""
        self._sent_s = time.monotonic()

    def heard(self) -> None:
        """A reply has come to a request of now."""
        self._heard_s = time.monotonic()

    def hold_left_s(self) -> float:
        """Until the device is at its base for certain, even if it has got the last that was sent."""
        return max(0.0, max(self._sent_s, self._heard_s) + HOLD_S + MARGIN_S - time.monotonic())

    def lapse(self) -> bool:
        """Whether the device has gone back to its base since it was last heard, or is about to; the host's side has
        then followed it."""
        if not self.is_other or time.monotonic() < self._heard_s + HOLD_S - MARGIN_S:
            return False
        self.return_to_base()
        return True

    def return_to_base(self) -> None:
        """Waits until the device is there, and follows."""
        time.sleep(self.hold_left_s())
        self._set_port(self.base)
        self.present = self.base

    def give_up(self, why: str) -> None:
        """As `return_to_base`, to stay."""
        wanted, self._wanted = self._wanted, 0
        self.return_to_base()
        self.note = f"{why} at {wanted:,} baud: the line is at {self.base:,}"

    def rise(self) -> bool:
        """Changes to the speed that is wanted, if the line bears it, or stays at the base for good. False: in between
        something may have been missed."""
        if self.is_other or not self._wanted:
            return True
        reply = self._asked_for()
        if reply is not None and (reply.code or reply.seq is None):
            why = "refuses" if reply.seq is not None else "cannot read the request for"
            self.note = f"the board {why} {self._wanted:,} baud: the line is at {self.base:,}"
            self._wanted = 0
            return True
        try:
            self._set_port(self._wanted)  # also without a reply, which may be what was lost
            self.present = self._wanted
        except (ValueError, serial.SerialException, OSError):
            self.give_up("this machine's port does not work")
            return False
        time.sleep(SETTLE_S)
        if all(map(self._comes_back, PATTERNS)):
            return True
        self.give_up("what is sent does not come back")
        return False

    def end(self) -> None:
        """Leaves the device at its base, if it hears."""
        if self.is_other:
            self._ask(f"baud {self.base}", PING_S)

    def _asked_for(self) -> Reply | None:
        """The answer at the base, asked again where the device complains, and so has not changed."""
        reply: Reply | None = None
        for _ in range(FAST_ATTEMPTS):
            reply = self._ask(f"baud {self._wanted}", REFUSED_WITHIN_S)
            if reply is None or reply.seq is not None:
                break
        return reply

    def _comes_back(self, pattern: str) -> bool:
        for _ in range(PING_TRIES):
            reply = self._ask(f"baud {self._wanted} {pattern}", PING_S)
            if reply is not None and not reply.code:
                return reply.text == pattern
        return False
