# SPDX-License-Identifier: Apache-2.0
"""Rescaling by one rounding where that gives every byte that TFLite Micro's two roundings give (staircases.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tinyproof.export.ops.requantize_encoding import encode_multiplier
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import pair_scaling

ONE_SHIFT = 4  # bits below an output that the multiplier keeps, see ONE_SHIFT in firmware/lib/engine/kernels/pairs.h


@dataclass(frozen=True)
class OneRounding:
    """Of one output channel."""

    moved: int
    multiplier: int
    offset: int


@lru_cache(maxsize=64)
def one_roundings(rows: tuple[Sequence[int], ...], scaling: Scaling) -> tuple[OneRounding | None, ...]:
    """Of each channel with the weights `rows`, for any inputs of int8; None where it takes two roundings.

    `scaling` has a multiplier and a shift for each channel; its fields are tuples."""
    from tinyproof.export.staircases import find_roundings  # brings in numpy

    return tuple(find_roundings(rows, scaling))


def unit_factors(
    rows: Sequence[Sequence[int]], scaling: Scaling, groups: Sequence[Sequence[int]] | None = None
) -> list[tuple[int, int, int]]:
    """Of each channel what is added to its bias, and its multiplier and scaling as rescale_pair_s8 of
    firmware/lib/engine/kernels/pairs.h takes them. `groups`: of the channels in these, one after the other, where those
    of a group have the same form."""
    ones = one_roundings(tuple(map(tuple, rows)), scaling)
    factors = []
    for group in groups or [(channel,) for channel in range(len(ones))]:
        known = [one for one in (ones[channel] for channel in group) if one]
        if len(known) == len(group):
            factors += [(one.moved, one.multiplier, one.offset) for one in known]
            continue
        for channel in group:
            shift = pair_scaling(scaling.shifts[channel])
            factors.append((0, encode_multiplier(scaling.multipliers[channel]), shift))
    return factors
