# SPDX-License-Identifier: Apache-2.0
"""MINIMUM of two inputs. A template: copy it to tests/support/op_rows/."""

from __future__ import annotations

import math

from hypothesis import strategies as st
from support.op_cases import Case, edge_inputs
from support.op_strategies import Quantization, quantizations, seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model


def minimum(shape: tuple[int, ...], x: Quantization, y: Quantization) -> bytes:
    """The operator alone."""
    model = Model()
    operands, target = [model.input(shape, *x) for _ in range(2)], model.tensor(shape, *y)
    model.add("MINIMUM", operands, [target])
    return model.build(target)


@st.composite
def minima(draw: st.DrawFn) -> Case:
    """Any shape and quantization; a case's inputs are those of the model, one after the other."""
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    q = draw(quantizations())
    return Case(f"MINIMUM {shape} {q}", minimum(shape, q, q), edge_inputs(2 * math.prod(shape), draw(seeds)))


ROWS = [Row("MINIMUM", "any_shape", minima(), count=20)]
REFUSALS = [Refusal("MINIMUM", minimum((2, 3), (0.5, 0), (0.25, 0)), "scale")]
