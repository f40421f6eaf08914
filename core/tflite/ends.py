# SPDX-License-Identifier: Apache-2.0
"""Where floats enter and leave a model. QUANTIZE at its input and DEQUANTIZE at its output are folded away: the device
sees the int8 tensors behind them, and scale and zero point go to whoever has the real values."""

from __future__ import annotations

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.graph import Graph, Operator, Tensor


def device_ends(graph: Graph) -> tuple[Tensor, Tensor, tuple[Operator, ...]]:
    """(int8 input, int8 output, the operators that the data passes between them).

    Raises InputFileError unless the model has one input and one output, int8 or float behind QUANTIZE/DEQUANTIZE.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputFileError(
            f"{graph.file}: {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; tinyproof takes one of each"
        )
    operators = list(graph.operators)
    x, y = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    if x.dtype == "float32":
        readers = [operator for operator in operators if x.index in operator.inputs]
        if len(readers) == 1 and readers[0].name == "QUANTIZE" and len(readers[0].outputs) == 1:
            operators.remove(readers[0])
            floats, x = x, graph.tensors[readers[0].outputs[0]]
            _check_sizes(graph, readers[0], floats, x)
    if y.dtype == "float32":
        writer = next((operator for operator in operators if y.index in operator.outputs), None)
        if writer and writer.name == "DEQUANTIZE" and len(writer.inputs) == 1 and writer.inputs[0] != -1:
            inside = graph.tensors[writer.inputs[0]]
            if not any(y.index in operator.inputs for operator in operators):
                operators.remove(writer)
                _check_sizes(graph, writer, inside, y)
                y = inside
    for tensor, role in ((x, "input"), (y, "output")):
        if tensor.dtype != "int8" or len(tensor.scales) != 1 or tensor.data is not None or tensor.elements < 1:
            raise graph.refuse(
                tensor,
                f"the model's {role} is {tensor.dtype} with {len(tensor.scales)} scales; supported is int8 with one: "
                "convert with full integer quantization (TFLITE_BUILTINS_INT8 and a representative dataset)",
            )
    return x, y, _needed(operators, y)


def _needed(operators: list[Operator], output: Tensor) -> tuple[Operator, ...]:
    """Those whose results reach `output` as data. What only computes the second input of a RESHAPE (Keras's Flatten
    with an open batch: SHAPE, STRIDED_SLICE, PACK) has nothing left to do, since shapes are fixed in a .tflite."""
    needed = {output.index}
    kept: list[Operator] = []
    for operator in reversed(operators):
        if needed.isdisjoint(operator.outputs):
            continue
        kept.append(operator)
        needed.update(operator.inputs[:1] if operator.name == "RESHAPE" else operator.inputs)
    return tuple(reversed(kept))


def _check_sizes(graph: Graph, operator: Operator, before: Tensor, after: Tensor) -> None:
    if before.elements != after.elements:  # TFLM does not look, and reads or writes beyond the smaller one
        raise graph.refuse(operator, f"cannot make {list(after.shape)} of {list(before.shape)}")
