# SPDX-License-Identifier: Apache-2.0
"""What ADD promises the memory plan."""

from __future__ import annotations

from support.op_rows.elementwise import finish
from support.op_table import only_op
from support.tflite_writer import Model


def test_output_takes_the_place_of_an_operand() -> None:
    model = Model()
    source = model.input((1, 100), 0.5)
    constant = model.tensor((1, 1), 0.5, values=[3])
    op = only_op(finish(model, "ADD", [constant, source], (1, 100), (0.7, 1), 0))
    assert op.in_place
    assert op.inputs == (source,)
