# SPDX-License-Identifier: Apache-2.0
"""What the operators' tests draw from, and how many cases one program holds."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from support.op_cases import Case, assert_bit_exact
from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops.base import Op

ACTIVATIONS = [0, 1, 2, 3]  # NONE, RELU, RELU_N1_TO_1, RELU6 of the schema
CASES = 40  # models in one program
PROGRAMS = 1


def float32(value: float) -> float:
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded


def scales(low: float = 1e-3, high: float = 2.0) -> st.SearchStrategy[float]:
    """float32 scales; powers of two among them, whose multipliers are exact."""
    powers = [2.0**k for k in range(-10, 2) if low <= 2.0**k <= high]
    return st.one_of(
        st.floats(float32(low * 1.001), float32(high * 0.999), width=32), st.sampled_from(powers or [float32(low)])
    )


zero_points = st.one_of(st.integers(-128, 127), st.sampled_from([-128, 0, 127]))
seeds = st.integers(0, 2**32 - 1)


def bit_exact(
    cases: st.SearchStrategy[Case],
    count: int = CASES,
    programs: int = PROGRAMS,
    prove: Callable[[Sequence[Case]], None] = assert_bit_exact,
) -> Callable[[], None]:
    """A test: `programs` programs of `count` cases each, the same ones every time, all equal to TFLite Micro.

    One more comes first, of one case: hypothesis begins with the simplest of everything, `count` times the same.
    """

    @settings(
        max_examples=programs + 1,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(cases, min_size=count, max_size=count))
    def test(drawn: list[Case]) -> None:
        prove(list({(case.tflite, case.aliased): case for case in drawn}.values()))

    return test


def only_op(tflite: bytes) -> Op:
    """What a model of one operator becomes."""
    (op,) = lower(read_graph(tflite)).ops
    return op


def assert_refused(name: str, tflite: bytes, says: str) -> None:
    """The model's first operator is refused by its name, in words that match `says`."""
    with pytest.raises(InputFileError, match=rf"operator 0 \({name}\): .*{says}"):
        lower(read_graph(tflite))
