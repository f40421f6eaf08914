# SPDX-License-Identifier: Apache-2.0
"""The floats at the ends of a model: the device sees int8 alone, and what does not fit is refused."""

from __future__ import annotations

import pytest
from support.op_rows.ends import with_floats
from support.op_table import only_op
from support.tflite_writer import Model

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower


def test_the_device_sees_int8_alone() -> None:
    tflite = with_floats(3, (0.5, 1), (0.25, 2))
    program = lower(read_graph(tflite))
    assert only_op(tflite).operator.name == "RELU"
    assert (program.inputs[0].dtype, program.inputs[0].scales) == ("int8", (0.5,))
    assert (program.outputs[0].dtype, program.outputs[0].zero_points) == ("int8", (2,))


def test_refuses_floats_that_nothing_dequantized() -> None:
    model = Model()
    source = model.input((1, 4), 0.5)
    target = model.tensor((1, 4), dtype="float32")
    model.add("RELU", [source], [target])
    with pytest.raises(InputFileError, match="output is float32"):
        lower(read_graph(model.build(target)))


def test_refuses_ends_of_other_sizes() -> None:
    """TFLite Micro would read, or write, beyond the smaller tensor."""
    sizes = {"operator 0 .QUANTIZE.: cannot make .1, 4. of .1, 5.": (1, 0)}
    sizes |= {"operator 2 .DEQUANTIZE.: cannot make .1, 3. of .1, 4.": (0, -1)}
    for says, floats in sizes.items():
        with pytest.raises(InputFileError, match=says):
            lower(read_graph(with_floats(4, (0.5, 0), (0.25, 0), floats=floats)))
