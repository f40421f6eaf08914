# SPDX-License-Identifier: Apache-2.0
"""Where the bytes stay the same, nothing happens on the device."""

from __future__ import annotations

import re

import pytest
from support.op_cases import Case, assert_bit_exact, edge_inputs
from support.op_moves import Part, ints
from support.op_rows.reshape import reshaped
from support.op_rows.strided import transpose
from support.op_table import assert_refused, only_op
from support.tflite_writer import Model

from tinyproof.core.paths import ROOT
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.ops import OPS
from tinyproof.export.ops.moving import Moving


@pytest.mark.parametrize(
    "tflite",
    [
        reshaped("RESHAPE", (2, 6), (3, 4), [3, 4]),
        reshaped("SQUEEZE", (2, 1, 3), (2, 3), squeezeDims=[1]),
        reshaped("EXPAND_DIMS", (2, 3), (2, 1, 3), [1]),
        transpose((1, 4, 1, 3), [1, 0, 3, 2]),
    ],
    ids=["RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"],
)
def test_costs_nothing(tflite: bytes) -> None:
    op = only_op(tflite)
    assert (op.kernel, op.in_place) == ("", True)


def test_transposing_more_than_dimensions_of_one_takes_a_kernel() -> None:
    op = only_op(transpose((1, 4, 1, 3), [3, 0, 1, 2]))
    assert (op.kernel, op.in_place) == ("strided_copy", False)


@pytest.mark.parametrize(
    ("name", "inputs", "output", "says"),
    [
        ("SPLIT", [ints(0), ints(1, 2, dtype="int64")], Part((2,), "int64"), "is int64"),
        ("REVERSE_V2", [Part((1, 2, 1), values=[1, 2]), ints(0, 2)], Part((1, 2, 1)), "no neighbours"),
        ("PAD", [Part((2,), values=[1, 2]), Part((1, 2), "int32", [0, 2**31 - 1], None)], Part((2,)), "not follow"),
        ("SHAPE", [Part((2,), values=[1, 2])], Part((1,), "int64"), "cannot be computed"),
    ],
)
def test_what_tflite_micro_refuses_of_constants_is_not_folded(
    name: str, inputs: list[Part], output: Part, says: str
) -> None:
    model = Model()
    model.input((1,), 0.5)
    operands = [model.tensor(part.shape, part.scale, values=part.values, dtype=part.dtype) for part in inputs]
    target = model.tensor(output.shape, 0.5, dtype=output.dtype)
    model.add(name, operands, [target])
    assert_refused(name, model.build(target), says)


def test_the_page_lists_every_operator_that_moves_elements() -> None:
    rows = re.findall(
        r"^\| ([A-Z0-9_, ]+) \| ([a-z0-9, ]+) \|", (ROOT / "docs/operators.md").read_text("utf-8"), re.MULTILINE
    )
    told = {name: tuple(types.split(", ")) for names, types in rows for name in names.split(", ")}
    known = {name: kind.types for name, kind in OPS.items() if issubclass(kind, Moving)}
    assert {name: types for name, types in told.items() if name in known} == known


def test_what_only_lends_its_shape_is_not_computed() -> None:
    model = Model()
    x, y = model.input((2, 2), 0.5), model.tensor((2, 2), 0.5)
    model.add("RELU", [x], [y])
    zeros, sizes = model.tensor((2, 2), 0.5, 3), model.tensor((2,), dtype="int32")
    model.add("ZEROS_LIKE", [y], [zeros])
    model.add("SHAPE", [y], [sizes], outType=2)
    tflite = model.build(zeros, sizes)
    assert [op.operator.name for op in lower(read_graph(tflite)).ops] == ["ZEROS_LIKE", "constant output"]
    assert_bit_exact([Case("shapes alone", tflite, edge_inputs(4, 1))])
