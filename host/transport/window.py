# SPDX-License-Identifier: Apache-2.0
"""Which requests of a window are on their way, answered or refused. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyproof.host.protocol.framing import Reply

MOST_ON_THE_WAY = 32


@dataclass
class Round:
    """Requests of a window sent since the last time that it went back. `on_the_way`: SEQ -> (index, bytes). `late`: SEQ
    -> index of those that were sent before, whose answers may still come from a board that is slow."""

    first: int
    next: int
    late: dict[int, int]
    on_the_way: dict[int, tuple[int, int]] = field(default_factory=dict)
    flying: int = 0  # bytes of those
    answered: set[int] = field(default_factory=set)
    refused: dict[int, Reply] = field(default_factory=dict)
    careful: bool = False  # after trouble: one alone, until it is answered
    unknown: int = 0  # complaints that do not say about which request

    @property
    def failed(self) -> bool:
        """Something was refused: nothing more is sent until the rest is answered."""
        return bool(self.refused or self.unknown)

    @property
    def over(self) -> bool:
        """Nothing more will come: all are answered, those whose SEQ was damaged included."""
        return len(self.on_the_way) <= self.unknown

    @property
    def has_room(self) -> bool:
        """For one more, as far as it goes by their number."""
        careful = self.careful and not self.answered
        return not self.failed and len(self.on_the_way) < (1 if careful else MOST_ON_THE_WAY)

    def awaits(self, seq: int) -> bool:
        """Whether an answer to `seq` says something."""
        return seq in self.on_the_way or self.late.get(seq) == self.first + len(self.answered)

    def take(self, reply: Reply) -> None:
        """A reply that is awaited, or a complaint without SEQ."""
        if reply.seq is None:
            self.unknown += 1
            return
        seq = reply.seq
        if seq not in self.on_the_way:
            if reply.code or not self.awaits(seq):
                return
            self.answered.add(self.late[seq])  # it was served, though late, as all before it
            return
        index, size = self.on_the_way.pop(seq)
        self.flying -= size
        if reply.code:
            self.refused[index] = reply
        else:
            self.answered.add(index)
