# SPDX-License-Identifier: Apache-2.0
"""Products of two matrices that may both be computed: what BATCH_MATMUL and FULLY_CONNECTED have in common."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.tflite.arithmetic import fits_32_bits, quantize_multiplier
from tinyproof.export.ops.base import Constant, Op, braces
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift
from tinyproof.export.ops.wide_sums import MAX_REAL_MULTIPLIER


@dataclass(frozen=True)
class Matrices:
    """struct matrices of firmware/lib/engine/kernels/matrices.h; steps count elements."""

    batches: tuple[int, int, int]
    a_steps: tuple[int, int, int]
    b_steps: tuple[int, int, int]
    rows: int
    depth: int
    columns: int
    a_place: tuple[int, int]  # from a row to the next, and along the depth
    b_place: tuple[int, int]  # from a column to the next, and along the depth

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all products."""
        outer, middle, inner = self.batches
        return outer * middle * inner * self.rows * self.depth * self.columns

    @property
    def scratch_bytes(self) -> int:
        """A column as int16; whole words, which are aligned."""
        return max(4, 2 * self.depth)

    def literal(self) -> str:
        """The struct in C."""
        lists = map(braces, (self.batches, self.a_steps, self.b_steps))
        numbers = (self.rows, self.depth, self.columns, *self.a_place, *self.b_place)
        return braces((*lists, *numbers))


class ByteProduct:
    """int8: kernel batch_matmul_s8. Raises InputFileError where TFLite Micro's 32 bits could overflow."""

    def __init__(
        self,
        op: Op,
        matrices: Matrices,
        real: float,
        zero_points: tuple[int, int, int],
        clamp: tuple[int, int],
        bias: tuple[int, ...] = (0,),
    ) -> None:
        self.matrices, self.zero_points, self.clamp, self.bias = matrices, zero_points, clamp, bias
        if not real < MAX_REAL_MULTIPLIER:
            raise op.refuse("rescales by 2^30 or more; check the scales of its tensors")
        multiplier, shift = quantize_multiplier(real)
        if multiplier == 0:  # rounds every sum to 0, and has no encoding: so does this on sums of at most 2^30
            multiplier, shift = 2**30, -31
        a_reach, b_reach = (max(127 - zero_point, 128 + zero_point) for zero_point in zero_points[:2])
        # The kernel sums a (b - b_zero_point), and has a_zero_point sum(b - b_zero_point) in what it begins with.
        reach = max(map(abs, bias)) + matrices.depth * max(a_reach, 256) * b_reach
        if not fits_32_bits(reach, multiplier, shift):
            raise op.refuse("can overflow 32 bits; scale the model's inputs, or use fewer of them")
        self.multiplier, self.shift = encode_multiplier(multiplier), encode_shift(shift)

    def constants(self) -> list[Constant]:
        """The bias."""
        return [Constant("bias", "int32_t", self.bias)]

    def parameters(self, prefix: str) -> dict[str, str]:
        """Members of struct batch_matmul_s8."""
        names = ("a_zero_point", "b_zero_point", "zero_point", "clamp_min", "clamp_max")
        numbers = dict(zip(names, (*self.zero_points, *self.clamp), strict=True))
        numbers |= {"bias_step": int(len(self.bias) > 1), "multiplier": self.multiplier, "shift": self.shift}
        texts = {name: str(number) for name, number in numbers.items()}
        return {"matrices": self.matrices.literal()} | texts | {"bias": f"{prefix}_bias"}
