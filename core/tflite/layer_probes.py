# SPDX-License-Identifier: Apache-2.0
"""How an operator of a build is run alone, on contents that are made on the spot (probe_contents.py)."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.tflite.arithmetic import INT8_MAX
from tinyproof.core.tflite.parts import TensorPart

VERSION = 3  # of the contents and the digest
SEED = 1
GUARD = 32  # PROBE_GUARD and
WHOLE = 8  # PROBE_WHOLE of firmware/lib/engine/probe.h
WORD = 4
PAIRS = 1 << 16  # of bytes
BESIDE = INT8_MAX  # the bytes before and behind what is given


@dataclass(frozen=True)
class ProbeTensor:
    """What is computed of a tensor of the .tflite, and where that lies in the arena. `element_bytes`: 1 or 2."""

    part: TensorPart
    offset: int
    bytes: int
    element_bytes: int
    zero_point: int


@dataclass(frozen=True)
class LayerProbe:
    """An operator that is run alone. `scratch`: offset and bytes of what it may leave anything in. `trials`: contents
    that it is worth, of which the last are `given`: the bytes of its first input, between two of BESIDE; in
    the last `pairs` of them both of its inputs hold pairs of bytes in turn."""

    inputs: tuple[ProbeTensor, ...]
    outputs: tuple[ProbeTensor, ...]
    scratch: tuple[int, int]
    trials: int
    given: tuple[bytes, ...] = ()
    pairs: int = 0

    @property
    def passes(self) -> int:
        """How often all pairs of bytes are asked, each time in another place."""
        return self.pairs * self.inputs[0].bytes // PAIRS if self.inputs else 0

    @property
    def window(self) -> tuple[int, int]:
        """From which word up to which one it reads and writes, with a guard on either side, counted from the begin of
        the first guard."""
        spans = [(one.offset, one.bytes) for one in (*self.inputs, *self.outputs)]
        spans += [self.scratch] if self.scratch[1] else []
        begin = min((start for start, _ in spans), default=0)
        end = max((start + size for start, size in spans), default=0)
        return begin // WORD, -(-(end + 2 * GUARD) // WORD)
