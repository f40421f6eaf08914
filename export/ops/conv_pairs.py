# SPDX-License-Identifier: Apache-2.0
"""A convolution, or a matrix product, by pairs of output channels: tables and parameters of
firmware/lib/engine/kernels/conv_pairs_s8.h."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.requantize_encoding import encode_multiplier
from tinyproof.export.ops.simd_packing import (
    PAIR_BYTES,
    PAIR_GROUP,
    PAIR_SHIFTS_LEFT,
    Row,
    packable,
    padded_depth,
    pair_scaling,
    pair_weights,
)

QUAD_UNITS = 4  # rows that dense_quads_s8 takes at a time


def pair_tables(
    rows: Sequence[Row], bias: Sequence[int], multipliers: Sequence[int], shifts: Sequence[int]
) -> list[Constant]:
    """`weights` and `scales` of firmware/lib/engine/kernels/pairs.h. A last odd row is paired with zeros."""
    odd = len(rows) % 2
    rows, bias = [*rows, *[(0,) * len(rows[0])] * odd], [*bias, *[0] * odd]
    multipliers, shifts = [*multipliers, *[2**30] * odd], [*shifts, *[-1] * odd]
    weights: list[int] = []
    scales: list[int] = []
    for a in range(0, len(rows), 2):
        b = a + 1
        flags = 0 if packable(rows[a], rows[b]) else PAIR_BYTES
        flags |= PAIR_SHIFTS_LEFT if max(shifts[a], shifts[b]) >= 0 else 0
        weights += pair_weights(rows[a], rows[b])
        scales += [bias[a], bias[b], encode_multiplier(multipliers[a]), encode_multiplier(multipliers[b])]
        scales += [pair_scaling(shifts[a]) | flags, pair_scaling(shifts[b])]
    return [Constant("weights", "int8_t", weights, alignment=4), Constant("scales", "int32_t", scales)]


def quad_tables(
    rows: Sequence[Row], bias: Sequence[int], multipliers: Sequence[int], shifts: Sequence[int]
) -> list[Constant]:
    """`weights` and `scales` of firmware/lib/engine/kernels/dense_quads_s8_parameters.h: two pairs side by side, which
    are both numbers or both bytes."""
    weights: list[int] = []
    scales: list[int] = []
    for start in range(0, len(rows), QUAD_UNITS):
        pairs = [(start, start + 1), (start + 2, start + 3)]
        numbers = all(packable(rows[a], rows[b]) for a, b in pairs)
        each = [pair_weights(rows[a], rows[b], numbers=numbers) for a, b in pairs]
        for place in range(0, len(each[0]), 2 * PAIR_GROUP):
            weights += [weight for pair in each for weight in pair[place : place + 2 * PAIR_GROUP]]
        for a, b in pairs:
            scales += [bias[a], bias[b], encode_multiplier(multipliers[a]), encode_multiplier(multipliers[b])]
            scales += [pair_scaling(shifts[a]) | (0 if numbers else PAIR_BYTES), pair_scaling(shifts[b])]
    return [Constant("weights", "int8_t", weights, alignment=4), Constant("scales", "int32_t", scales)]


@dataclass(frozen=True)
class Pairs:
    """`rows`: of each output channel the weights, `width` inputs of one row of the kernel after the other. `pointwise`:
    pixels are taken as they lie."""

    window: str
    rows: tuple[Row, ...]
    width: int
    pixels: int
    pointwise: bool
    strip: int = 0  # pixels of an input row with its borders, or 0: without them
    strip_bytes: int = 0
    gaps: bool = False  # taps of a row do not lie side by side
    border_cost: int = 0  # instructions more than with a strip

    kernel = "conv_pairs_s8"

    @cached_property
    def filled(self) -> list[tuple[int, ...]]:
        """Rows of the kernel filled up to whole PAIR_GROUPs."""
        zeros, starts = (0,) * (-self.width % PAIR_GROUP), range(0, len(self.rows[0]), self.width)
        return [tuple(w for start in starts for w in (*row[start : start + self.width], *zeros)) for row in self.rows]

    @property
    def kind(self) -> str:
        """Layouts of one kind share their tables."""
        return self.kernel

    @property
    def cost(self) -> int:
        """Instructions of an inference on a Cortex-M4, about."""
        units, depth = len(self.rows), self.depth
        columns = 120 + 17 * depth // 4 + 14 * len(self.rows[0]) // self.width
        if self.gaps:  # four pixels copy each of their taps
            columns += 4 * len(self.rows[0]) // self.width * 115 + 2 * depth
        multiply = 80 + -(-units // 2) * (90 + 51 * depth // 8) + (60 if units % 2 else 0)
        return -(-self.pixels // 4) * (columns + multiply) + self.border_cost

    @property
    def direct(self) -> bool:
        """Whether a pixel of the input lies in whole words, where it can be read."""
        return self.pointwise and self.width % PAIR_GROUP == 0

    @property
    def depth(self) -> int:
        """Inputs of a filled row."""
        return len(self.rows[0]) // self.width * padded_depth(self.width, PAIR_GROUP)

    @property
    def scratch_bytes(self) -> int:
        """As in firmware/lib/engine/kernels/conv_pairs_parameters.h."""
        columns = 4 if self.pixels > 2 else 1
        if self.strip:
            return columns * 2 * self.depth + self.strip_bytes
        return columns * (2 * self.depth + (0 if self.direct else padded_depth(self.width, PAIR_GROUP)))

    def constants(self, bias: Sequence[int], multipliers: Sequence[int], shifts: Sequence[int]) -> list[Constant]:
        """`bias` with the input's zero point folded in, and the factors of each output channel."""
        return pair_tables(self.filled, bias, multipliers, shifts)

    def parameters(self, prefix: str, input_zero_point: int, zero_point: int, clamp: tuple[int, int]) -> dict[str, str]:
        """struct conv_pairs_s8."""
        window = f"{{{self.window}, {input_zero_point}}}"
        numbers = {"units": len(self.rows), "depth": self.depth, "strip": self.strip}
        numbers |= {"rounding": 1 + 2 * zero_point, "clamp_min": clamp[0], "clamp_max": clamp[1]}
        tables = {table: f"{prefix}_{table}" for table in ("weights", "scales")}
        return {"window": window} | {name: str(value) for name, value in numbers.items()} | tables
