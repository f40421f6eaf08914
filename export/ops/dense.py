# SPDX-License-Identifier: Apache-2.0
"""A small matrix product: tables and parameters of firmware/lib/engine/kernels/fully_connected_s8.h."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift

MIN_PAIRED_WEIGHTS = 512  # for smaller layers a kernel of its own is not worth its code, and its scratch

Number = TypeVar("Number")


@dataclass(frozen=True)
class Dense:
    """`rows`: the weights of each unit. Inputs are `batches` rows of as many numbers, one after the other."""

    batches: int
    rows: tuple[Sequence[int], ...]

    kernel = "fully_connected_s8"
    scratch_bytes = 0

    def constants(self, bias: Sequence[int], multipliers: Sequence[int], shifts: Sequence[int]) -> list[Constant]:
        """`bias` with the input's zero point folded in, and the factors: one for all units, or one for each."""
        return [
            Constant("weights", "int8_t", [weight for row in self.rows for weight in row]),
            Constant("bias", "int32_t", bias),
            Constant("multipliers", "int32_t", [encode_multiplier(m) for m in _shared(multipliers)]),
            Constant("shifts", "int8_t", [encode_shift(s) for s in _shared(shifts)]),
        ]

    def parameters(
        self, prefix: str, factors: tuple[Sequence[int], Sequence[int]], zero_point: int, clamp: tuple[int, int]
    ) -> dict[str, str]:
        """struct fully_connected_s8; `factors` are multipliers and shifts."""
        multipliers, shifts = factors
        numbers = {
            "batches": self.batches,
            "depth": len(self.rows[0]),
            "units": len(self.rows),
            "zero_point": zero_point,
            "clamp_min": clamp[0],
            "clamp_max": clamp[1],
            "multiplier_step": int(len(set(multipliers)) > 1),
            "shift_step": int(len(set(shifts)) > 1),
            "shifts_right": int(max(shifts) < 0),
        }
        tables = {table: f"{prefix}_{table}" for table in ("weights", "bias", "multipliers", "shifts")}
        return {name: str(value) for name, value in numbers.items()} | tables


def _shared(values: Sequence[Number]) -> Sequence[Number]:
    """One value instead of a table of equal ones: the kernel then keeps it in a register."""
    return values[:1] if len(set(values)) == 1 else values
