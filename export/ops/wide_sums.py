# SPDX-License-Identifier: Apache-2.0
"""16x8: int16 activations, int8 weights, and sums of 64 bits, or of 32 where the bias has 32 bits."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.core.tflite.arithmetic import (
    INT32_MAX,
    MAX_WIDE_SHIFT,
    fits_32_bits,
    quantize_multiplier,
    reduce_multiplier,
)
from tinyproof.core.tflite.graph import Tensor
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift
from tinyproof.export.ops.simd_packing import ORDER, padded_depth

INT32 = 2  # of the schema's types
MAX_SUM = 2**47  # TFLite Micro promises to rescale less
MAX_REAL_MULTIPLIER = 2.0**30 - 1  # with two roundings


def has_narrow_sums(op: Op, bias: Tensor | None) -> bool:
    """Whether TFLite Micro sums in 32 bits, for CONV_2D and FULLY_CONNECTED of int16."""
    if bias is None:
        return op.operator.options.get("quantized_bias_type", 0) == INT32
    return bias.dtype == "int32"


class WideSums:
    """What follows the sums, one for each unit: struct rescaling_s16 of firmware/lib/engine/kernels/requantize_s16.h.

    Raises InputFileError where a sum could leave TFLite Micro's bits. `reaches` bounds |bias + sum of products|.
    """

    def __init__(self, op: Op, reals: Sequence[float], reaches: Sequence[int], *, narrow: bool) -> None:
        if not all(real < MAX_REAL_MULTIPLIER for real in reals):
            raise op.refuse("rescales by 2^30 or more; check the scales of its tensors")
        self.narrow = narrow
        self.pairs = [quantize_multiplier(real) for real in reals]
        self.reaches = tuple(reaches)
        check = self._check_narrow if narrow else self._check_wide
        for channel, ((multiplier, shift), reach) in enumerate(zip(self.pairs, reaches, strict=True)):
            check(op, channel, multiplier, shift, reach)

    def _check_narrow(self, op: Op, channel: int, multiplier: int, shift: int, reach: int) -> None:
        if not fits_32_bits(reach, multiplier, shift, room=2 * 2**15):
            raise op.refuse(f"channel {channel} can overflow 32 bits; scale the model's inputs")

    def _check_wide(self, op: Op, channel: int, multiplier: int, shift: int, reach: int) -> None:
        if shift > MAX_WIDE_SHIFT:
            raise op.refuse("rescales by 2^7 or more, beyond TFLite Micro's sums of 64 bits; check the scales")
        if reach >= MAX_SUM or ((reach * reduce_multiplier(multiplier)) >> (15 - shift)) + 2 * 2**15 > INT32_MAX:
            raise op.refuse(f"channel {channel} can overflow what TFLite Micro rescales; scale the model's inputs")

    def is_dead(self, channel: int) -> bool:
        """Whether its answers are 0 whatever its sum is, and the encoding needs its weights and bias to be 0, too."""
        return self.narrow and self.pairs[channel][0] == 0

    def tables(self) -> list[Constant]:
        """Per unit."""
        if self.narrow:
            pairs = [pair if pair[0] else (2**30, -1) for pair in self.pairs]
            multipliers, shifts = [encode_multiplier(m) for m, _ in pairs], [encode_shift(s) for _, s in pairs]
        else:
            multipliers, shifts = [reduce_multiplier(m) for m, _ in self.pairs], [15 - s for _, s in self.pairs]
        return [Constant("multipliers", "int32_t", multipliers), Constant("shifts", "int8_t", shifts)]

    def parameters(self, prefix: str, zero_point: int, clamp: tuple[int, int]) -> str:
        """The struct in C."""
        return f"{{{int(self.narrow)}, {zero_point}, {clamp[0]}, {clamp[1]}, {prefix}_multipliers, {prefix}_shifts}}"

    @property
    def suits_rows(self) -> bool:
        """Whether sums fit 32 bits and are scaled down, as kernel conv_rows_s16 takes for granted."""
        return not self.narrow and max(self.reaches) <= INT32_MAX and all(shift <= -2 for _, shift in self._alive)

    @property
    def _alive(self) -> list[tuple[int, int]]:
        """A multiplier of 0 has any shift."""
        return [(m, s) if m else (0, -2) for m, s in self.pairs]

    def row_numbers(self, bias: Sequence[int]) -> list[tuple[int, int, int]]:
        """Bias, multiplier and shift of each unit."""
        return [(b, reduce_multiplier(m) << 16, -2 - shift) for b, (m, shift) in zip(bias, self._alive, strict=True)]

    def row_tables(self, rows: Sequence[Sequence[int]], bias: Sequence[int]) -> list[Constant]:
        """The tables of firmware/lib/engine/kernels/conv_rows_s16_parameters.h."""
        depth = padded_depth(len(rows[0]))
        weights: list[int] = []
        scales: list[int] = []
        numbers = [(b, reduce_multiplier(m) << 16, -2 - shift) for b, (m, shift) in zip(bias, self._alive, strict=True)]
        padded = [(*row, *(0,) * (depth - len(row))) for row in rows]
        if len(rows) % 2:
            padded.append((0,) * depth)
            numbers.append((0, 0, 0))
        for a in range(0, len(padded), 2):
            for start in range(0, depth, len(ORDER)):
                weights += [row[start + place] for row in padded[a : a + 2] for place in ORDER]
            scales += [number for pair in zip(*numbers[a : a + 2], strict=True) for number in pair]
        return [Constant("weights", "int8_t", weights, alignment=4), Constant("scales", "int32_t", scales)]

    def row_parameters(self, zero_point: int, clamp: tuple[int, int]) -> dict[str, str]:
        """How the kernels for sums of 32 bits round and clamp."""
        return {"rounding": str(1 + 2 * zero_point), "clamp_min": str(clamp[0]), "clamp_max": str(clamp[1])}

    def row_members(self, prefix: str, depth: int, zero_point: int, clamp: tuple[int, int]) -> dict[str, str]:
        """Members of struct conv_rows_s16 besides its window and units."""
        tables = {"weights": f"{prefix}_weights", "scales": f"{prefix}_scales"}
        return {"depth": str(padded_depth(depth))} | self.row_parameters(zero_point, clamp) | tables

    @staticmethod
    def row_scratch(depth: int, pixels: int) -> int:
        """One column, or two."""
        return (4 if pixels > 1 else 2) * padded_depth(depth)
