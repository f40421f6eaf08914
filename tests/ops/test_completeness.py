# SPDX-License-Identifier: Apache-2.0
"""An operator cannot come without a row of the table, nor without its kernel in the Python reference."""

from __future__ import annotations

import pytest
from support.op_cases import Case, assert_bit_exact, edge_inputs
from support.op_rows import REFUSALS, ROWS
from support.tflite_writer import Model

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
