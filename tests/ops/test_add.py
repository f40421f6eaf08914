# SPDX-License-Identifier: Apache-2.0
"""ADD of computed operands, constants and broadcasts, against TFLite Micro."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from support.binary_cases import (
    broadcast,
    computed,
    far_apart,
    finish,
    quantizations,
    with_constant,
    with_ones,
)
from support.op_cases import Case, edge_inputs
from support.op_strategies import assert_refused, bit_exact, only_op, seeds
from support.tflite_writer import Model

test_computed = bit_exact(computed("ADD"))
test_constant = bit_exact(with_constant("ADD"))
test_broadcast = bit_exact(broadcast("ADD"), count=25)
test_far_apart = bit_exact(far_apart("ADD"), count=25)


@st.composite
def chains(draw: st.DrawFn) -> Case:
    """So many that the kernels are shared; each reads the input again."""
    model = Model()
    x = draw(quantizations())
    source = tensor = model.input((3, 5), *x)
    names = [draw(st.sampled_from(["ADD", "MUL", "SUB"])) for _ in range(12)]
    for name in names:
        tensor, last = model.tensor((3, 5), *draw(quantizations())), tensor
        model.add(name, [last, source], [tensor], fusedActivationFunction=0)
    return Case(f"chain {names}", model.build(tensor), edge_inputs(15, draw(seeds)))


test_chains_with_sub_and_mul = bit_exact(chains(), count=12)


def test_output_takes_the_place_of_an_operand() -> None:
    model = Model()
    source = model.input((1, 100), 0.5)
    constant = model.tensor((1, 1), 0.5, values=[3])
    op = only_op(finish(model, "ADD", [constant, source], (1, 100), (0.7, 1), 0))
    assert op.in_place
    assert op.inputs == (source,)


SAME = ((2, 3), (2, 3), (2, 3))


@pytest.mark.parametrize(
    ("tflite", "says"),
    [
        (with_ones("ADD", ((2, 3), (2, 2), (2, 3))), "cannot broadcast"),
        (with_ones("ADD", SAME, activation=4), "fused activation TANH"),
        (with_ones("ADD", SAME, (1000.0, 0), (1e-3, 0)), "too far apart"),
    ],
)
def test_refuses(tflite: bytes, says: str) -> None:
    assert_refused("ADD", tflite, says)
