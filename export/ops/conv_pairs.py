# SPDX-License-Identifier: Apache-2.0
"""A convolution, or a matrix product, by pairs of output channels: tables and parameters of
firmware/lib/engine/kernels/conv_pairs_s8.h."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyproof.export.ops.base import Constant, LazyNumbers
from tinyproof.export.ops.one_rounding import OneRounding, one_roundings
from tinyproof.export.ops.requantize_encoding import encode_multiplier
from tinyproof.export.ops.scaling import Scaling
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

PAIR_SCALES = 6  # numbers of a pair in `scales`, as in pairs.h
QUAD_UNITS = 4  # rows that dense_quads_s8 takes at a time
CALL_COST = 700  # instructions, once
COST_OF_ONE = 1.84  # instructions for an input of two channels, where it is multiplied for one pixel
BY_COLUMNS = "CONV_BY_COLUMNS"  # of firmware/lib/engine/kernels/conv_pairs_parameters.h


def pair_tables(rows: Sequence[Row], scaling: Scaling) -> list[Constant]:
    """`weights` and `scales` of firmware/lib/engine/kernels/pairs.h. A last odd row is paired with zeros."""
    units = _Units(rows, scaling)
    starts = range(0, len(rows), 2)
    weights = [weight for a in starts for weight in pair_weights(units.row(a), units.row(a + 1))]

    def scales() -> list[int]:
        return [number for a in starts for number in units.scales(a, numbers=packable(units.row(a), units.row(a + 1)))]

    return _tables(weights, len(starts), scales)


def quad_tables(rows: Sequence[Row], scaling: Scaling) -> list[Constant]:
    """`weights` and `scales` of firmware/lib/engine/kernels/dense_quads_s8_parameters.h: two pairs side by side, which
    are both numbers or both bytes."""
    units = _Units(rows, scaling)
    weights: list[int] = []
    quads: list[tuple[tuple[int, int], bool]] = []  # first rows of both pairs; whether they are numbers
    for start in range(0, len(rows), QUAD_UNITS):
        pairs = [(start, start + 1), (start + 2, start + 3)]
        numbers = all(packable(rows[a], rows[b]) for a, b in pairs)
        quads.append(((start, start + 2), numbers))
        each = [pair_weights(rows[a], rows[b], numbers=numbers) for a, b in pairs]
        for place in range(0, len(each[0]), 2 * PAIR_GROUP):
            weights += [weight for pair in each for weight in pair[place : place + 2 * PAIR_GROUP]]

    def scales() -> list[int]:
        found: list[int] = []
        for firsts, numbers in quads:
            once = numbers and all(map(units.once, firsts))
            found += [number for a in firsts for number in units.scales(a, numbers=numbers, once=once)]
        return found

    return _tables(weights, 2 * len(quads), scales)


def _tables(weights: list[int], pairs: int, scales: Callable[[], list[int]]) -> list[Constant]:
    return [
        Constant("weights", "int8_t", weights, alignment=4),
        Constant("scales", "int32_t", LazyNumbers(PAIR_SCALES * pairs, scales)),
    ]


class _Units:
    """Output channels as their pairs take them; one that does not exist has weights of 0."""

    def __init__(self, rows: Sequence[Row], scaling: Scaling) -> None:
        self._rows, self._scaling = rows, scaling

    @cached_property
    def _roundings(self) -> tuple[OneRounding | None, ...]:
        return one_roundings(tuple(map(tuple, self._rows)), self._scaling)

    def row(self, unit: int) -> Row:
        return self._rows[unit] if unit < len(self._rows) else (0,) * len(self._rows[0])

    def once(self, a: int) -> bool:
        """Whether both units of a pair are rescaled by one rounding."""
        return None not in self._roundings[a : a + 2]

    def scales(self, a: int, *, numbers: bool, once: bool = True) -> list[int]:
        """PAIR_SCALES of pairs.h; `once`: by one rounding, if it can be."""
        if numbers and once and self.once(a):
            return self._scales_once(a)
        scaling = self._scaling
        bias, multipliers, shifts = (each[a : a + 2] for each in (scaling.bias, scaling.multipliers, scaling.shifts))
        bias, multipliers, shifts = [*bias, 0][:2], [*multipliers, 2**30][:2], [*shifts, -1][:2]
        flags = (0 if numbers else PAIR_BYTES) | (PAIR_SHIFTS_LEFT if max(shifts) >= 0 else 0)
        return [*bias, *map(encode_multiplier, multipliers), pair_scaling(shifts[0]) | flags, pair_scaling(shifts[1])]

    def _scales_once(self, a: int) -> list[int]:
        """The second unit's bias is in a number with the first one's, as weights are, and its offset fits to that."""
        known = [(self._scaling.bias[a + i], one) for i, one in enumerate(self._roundings[a : a + 2]) if one]
        first, second = [*known, (0, OneRounding(0, 0, 0))][:2]
        bias_a, bias_b = (bias + one.moved for bias, one in (first, second))
        both = (256 * bias_b + bias_a + 2**31) % 2**32 - 2**31
        ones = first[1], second[1]
        return [bias_a, both, *(one.multiplier for one in ones), ones[0].offset, 256 * ones[1].offset]


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
    row_pixels: int = 0  # with a strip: outputs that are made of one
    once: float = 1.0  # what share of the output channels is rescaled by one rounding
    gaps: int = 0  # taps of a row that do not lie side by side
    border_cost: int = 0  # instructions more than with a strip
    # The kernel is one row, [width][height][channels], of which so many make the height; 0: it is taken row by row.
    column_taps: int = 0

    kernel = "conv_pairs_s8"
    is_far = False

    @cached_property
    def filled(self) -> list[tuple[int, ...]]:
        """Rows of the kernel filled up to whole PAIR_GROUPs."""
        zeros, starts = (0,) * (-self.width % PAIR_GROUP), range(0, len(self.rows[0]), self.width)
        return [tuple(w for start in starts for w in (*row[start : start + self.width], *zeros)) for row in self.rows]

    @property
    def kind(self) -> str:
        """Layouts of one kind share their tables."""
        return f"{self.kernel} by columns" if self.column_taps else self.kernel

    @property
    def kernel_macros(self) -> tuple[str, ...]:
        """As of Op."""
        return (BY_COLUMNS,) if self.column_taps else ()

    @property
    def cost(self) -> int:
        """Instructions of an inference on a Cortex-M4, about."""
        row = self.row_pixels or self.pixels
        fours, ones = (row + 1) // 4, (row % 4) % 3  # three pixels are done as four
        rows = self.pixels // row * (fours * self._cost_of_four + ones * self._cost_of_one + self._strip_cost)
        return CALL_COST + rows + self.border_cost

    @property
    def _cost_of_four(self) -> int:
        """Of four pixels: their inputs are widened, then two channels at a time are multiplied and rescaled."""
        kernel_rows, pairs = len(self.rows[0]) // self.width, -(-len(self.rows) // 2)
        columns = 17 * self.depth // 4 + (50 if self.direct else 90 if self.column_taps else 200 + 14 * kernel_rows)
        if self.gaps:
            columns += 4 * self._gaps_cost
        multiply = 47 + 45 * (1 - self.once) + 6 * self.depth + 3 * -(-self.depth // 16)
        return round(columns + pairs * multiply + (60 if len(self.rows) % 2 else 0))

    @property
    def _strip_cost(self) -> int:
        """Of the rows that are copied for a row of outputs; by columns each pixel by itself."""
        if not self.strip:
            return 0
        if not self.column_taps:
            return 130 + 40 * len(self.rows[0]) // self.width + 3 * self.strip_bytes // 4
        channels = self.strip_bytes // (self.column_taps * self.strip)
        pixel = 5 + channels if channels < 4 else 22 + 6 * (channels // 8)
        return 150 + self.column_taps * (60 + self.strip * pixel)

    @property
    def _gaps_cost(self) -> int:
        """Of a pixel: each of the taps is copied."""
        return len(self.rows[0]) // self.width * (70 + 33 * self.gaps) + self.depth // 2

    @property
    def _cost_of_one(self) -> int:
        kernel_rows, pairs = len(self.rows[0]) // self.width, -(-len(self.rows) // 2)
        columns = 1.5 * self.depth + (130 if self.direct or self.column_taps else 320 + 25 * kernel_rows)
        return round(columns + pairs * (COST_OF_ONE * self.depth + 21 + 8 * (1 - self.once)))

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

    def constants(self, scaling: Scaling) -> list[Constant]:
        """`weights` and `scales`."""
        return pair_tables(self.filled, scaling)

    def parameters(self, prefix: str, input_zero_point: int, scaling: Scaling) -> dict[str, str]:
        """struct conv_pairs_s8."""
        window = f"{{{self.window}, {input_zero_point}}}"
        numbers = {"units": len(self.rows), "depth": self.depth, "numbers": self._numbers(scaling), "strip": self.strip}
        numbers |= {"by_columns": int(self.column_taps > 0)}
        numbers |= {"rounding": 1 + 2 * scaling.zero_point}
        numbers |= {"clamp_min": scaling.clamp[0], "clamp_max": scaling.clamp[1]}
        tables = {table: f"{prefix}_{table}" for table in ("weights", "scales")}
        return {"window": window} | {name: str(value) for name, value in numbers.items()} | tables

    def _numbers(self, scaling: Scaling) -> int:
        """How many pairs from the first on are numbers and shifted to the right."""
        pairs = zip(self.rows[::2], self.rows[1::2], scaling.shifts[::2], scaling.shifts[1::2], strict=False)
        plain = (packable(a, b) and max(shifts) < 0 for a, b, *shifts in pairs)
        return next((place for place, usual in enumerate(plain) if not usual), len(self.rows) // 2)
