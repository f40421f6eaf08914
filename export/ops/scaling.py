# SPDX-License-Identifier: Apache-2.0
"""What follows the sums of a layer of int8."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scaling:
    """Per unit a bias with the input's zero point in it, a multiplier and a shift, as TFLite
    Micro has them; then the zero point and the range of the output."""

    bias: Sequence[int]
    multipliers: Sequence[int]
    shifts: Sequence[int]
    zero_point: int
    clamp: tuple[int, int]

    @property
    def left(self) -> bool:
        """Whether a unit is not shifted to the right, for which there are kernels of their own."""
        return max(self.shifts) >= 0

    @property
    def kernel_infix(self) -> str:
        return "_left" if self.left else ""

    def bias_of(self, units: Iterable[int]) -> list[int]:
        return [self.bias[unit] if unit < len(self.bias) else 0 for unit in units]

    def factors_of(self, units: Iterable[int]) -> list[int]:
        """The numbers of kernels_mve/kernels/mve.h; units that do not exist are multiplied by a half."""
        known = [
            (self.multipliers[unit], self.shifts[unit]) if unit < len(self.bias) else (2**30, -1) for unit in units
        ]
        left = [max(shift, 0) for _, shift in known] if self.left else []
        return left + [multiplier for multiplier, _ in known] + [min(shift, 0) for _, shift in known]

    @property
    def parameters(self) -> dict[str, str]:
        numbers = {"zero_point": self.zero_point, "clamp_min": self.clamp[0], "clamp_max": self.clamp[1]}
        return {name: str(number) for name, number in numbers.items()}
