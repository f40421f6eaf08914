# SPDX-License-Identifier: Apache-2.0
"""An operator cannot come without a row of the table, nor without its kernel in the Python reference."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.op_cases import Case, assert_bit_exact, edge_inputs
from support.op_rows import REFUSALS, ROWS
from support.op_table import assert_refused
from support.tflite_writer import Model, Subgraph

from tinyproof.core.reference.kernels import KERNELS
from tinyproof.export.inlining import INLINED
from tinyproof.export.lowering import REWRITTEN
from tinyproof.export.ops import ENDS, OPS


def test_every_operator_has_a_row_and_a_refusal() -> None:
    assert {row.operator for row in ROWS} == {*OPS, *ENDS, *INLINED}
    assert {refusal.operator for refusal in REFUSALS} == {*OPS, *ENDS, *INLINED}


def test_each_row_has_a_name_of_its_own() -> None:
    """Its cases follow from it."""
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)


def test_the_python_reference_has_every_operator() -> None:
    assert set(KERNELS) == {*OPS, *REWRITTEN}


def test_a_wrong_python_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model()
    x, y = model.input((1, 4), 0.1), model.tensor((1, 4), 0.1)
    model.add("RELU", [x], [y])
    case = Case("a ReLU", model.build(y), (bytes([1, 2, 3, 0x80]),))
    assert_bit_exact([case])
    monkeypatch.setitem(KERNELS, "RELU", lambda step, x: x)
    with pytest.raises(AssertionError, match=r"python: a ReLU: y\[3\] = 0x80, expected 0x0"):
        assert_bit_exact([case])


def test_options_that_a_file_leaves_out_have_their_defaults() -> None:
    leaky = Model()
    x, y = leaky.input((1, 4), 0.1), leaky.tensor((1, 4), 0.1)
    leaky.add("LEAKY_RELU", [x], [y], bare=True)
    sliced = Model()
    x, part = sliced.input((4, 3), 0.1), sliced.tensor((2, 3), 0.1)
    places = [sliced.tensor((2,), values=values, dtype="int32") for values in ([1, 0], [3, 3], [1, 1])]
    sliced.add("STRIDED_SLICE", [x, *places], [part], bare=True)
    assert_bit_exact(
        [Case("leaky", leaky.build(y), edge_inputs(4, 1)), Case("part", sliced.build(part), edge_inputs(12, 1))]
    )


def test_inputs_that_an_operator_does_not_have_are_not_looked_at() -> None:
    model = Model()
    x, y = model.input((1, 4), 0.1), model.tensor((1, 4), 0.1)
    model.add("RELU", [x, x], [y])
    assert_bit_exact([Case("a ReLU of two inputs", model.build(y), edge_inputs(4, 1))])


def test_outputs_that_an_operator_does_not_make_are_refused() -> None:
    model = Model()
    x, y, z = model.input((1, 4), 0.1), model.tensor((1, 4), 0.1), model.tensor((1, 4), 0.1)
    model.add("RELU", [x], [y, z])
    assert_refused("RELU", model.build(z), "has 2 outputs; it makes 1")


def start_with(add: Callable[[Subgraph, int], None]) -> bytes:
    """A ReLU, and a state that `add` begins with its handle."""
    model = Model()
    x, y = model.input((1, 4), 0.1), model.tensor((1, 4), 0.1)
    model.add("CALL_ONCE", [], [], initSubgraphIndex=1)
    model.add("RELU", [x], [y])
    start = model.subgraph()
    add(start, start.tensor((), dtype="resource"))
    return model.build(y)


def test_state_that_cannot_be_computed_is_refused() -> None:
    def add(start: Subgraph, handle: int) -> None:
        start.add("VAR_HANDLE", [], [handle], sharedName="state")
        start.add("ASSIGN_VARIABLE", [handle, start.tensor((1,), values=[1.0], dtype="float32")], [])

    assert_refused("CALL_ONCE", start_with(add), "its state cannot be computed")


def test_outputs_that_an_operator_of_another_subgraph_does_not_make_are_refused() -> None:
    def add(start: Subgraph, handle: int) -> None:
        start.add("VAR_HANDLE", [], [handle, start.tensor((), dtype="resource")], sharedName="state")

    assert_refused("CALL_ONCE", start_with(add), "its state cannot be computed")
