# SPDX-License-Identifier: Apache-2.0
"""What the operators' rows draw from: float32 scales, zero points, seeds, fused activations."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

Quantization = tuple[float, int]  # scale and zero point
ACTIVATIONS = [0, 1, 2, 3]  # NONE, RELU, RELU_N1_TO_1, RELU6 of the schema


def float32(value: float) -> float:
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded


def scales(low: float = 1e-3, high: float = 2.0) -> st.SearchStrategy[float]:
    """float32 scales; powers of two among them, whose multipliers are exact."""
    powers = [2.0**k for k in range(-10, 2) if low <= 2.0**k <= high]
    return st.one_of(
        st.floats(float32(low * 1.001), float32(high * 0.999), width=32), st.sampled_from(powers or [float32(low)])
    )


@st.composite
def simple_scales(draw: st.DrawFn, count: int) -> list[float]:
    """float32 scales that are odd multiples of one number, and an even one last, for the output: answers lie half-way
    between two integers, where the last bit of a multiplier decides."""
    base = draw(st.floats(0.05, 1.0))
    odd = [draw(st.sampled_from([1, 3, 5, 7, 9])) for _ in range(count - 1)]
    return [float32(base * multiple) for multiple in (*odd, draw(st.sampled_from([2, 4, 6, 10, 12, 14])))]


zero_points = st.one_of(st.integers(-128, 127), st.sampled_from([-128, 0, 127]))
seeds = st.integers(0, 2**32 - 1)


def quantizations(low: float = 1e-2, high: float = 1.0) -> st.SearchStrategy[Quantization]:
    return st.tuples(scales(low, high), zero_points)
