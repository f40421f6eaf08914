# SPDX-License-Identifier: Apache-2.0
"""Where real values enter and leave a model. A QUANTIZE at a float input and a DEQUANTIZE at a float output are folded
away: the device sees the integer tensors behind them, and scale and zero point go to whoever has the real values."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.tflite.graph import Graph, Operator, Tensor

TYPES = ("int8", "uint8", "int16", "int32", "int64", "bool")
QUANTIZED = ("int8", "uint8", "int16")
# How many inputs are read as data, of operators that only want to know the shape of others.
_READ_INPUTS = {"RESHAPE": 1, "SHAPE": 0, "ZEROS_LIKE": 0}


@dataclass(frozen=True)
class Ends:
    """What the device takes and gives, in the model's order, and the operators in between whose results reach an
    output or a state. `outer_inputs` and `outer_outputs` are the file's own ends: the same tensors, or float ones."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    outer_inputs: tuple[Tensor, ...]
    outer_outputs: tuple[Tensor, ...]

    @property
    def input_bytes(self) -> int:
        """What the device is sent for an inference: all inputs, one after the other."""
        return sum(tensor.bytes for tensor in self.inputs)

    @property
    def output_bytes(self) -> int:
        """What the device answers: all outputs, one after the other."""
        return sum(tensor.bytes for tensor in self.outputs)

    def parts(self, x_q: bytes) -> list[bytes]:
        """What of `x_q`, which the device is sent, is each input's."""
        found = []
        for tensor in self.inputs:
            found.append(x_q[: tensor.bytes])
            x_q = x_q[tensor.bytes :]
        return found


def device_ends(graph: Graph) -> Ends:
    """Raises InputFileError naming an end that is no integer tensor, with the remedy."""
    operators = list(graph.operators)
    inputs, outputs = [], []
    for index in graph.inputs:
        inputs.append(_input(graph, operators, graph.tensors[index]))
    for index in graph.outputs:
        outputs.append(_output(graph, operators, graph.tensors[index]))
    for role, tensors in (("input", inputs), ("output", outputs)):
        for tensor in tensors:
            _check(graph, tensor, role)
    return Ends(
        tuple(inputs),
        tuple(outputs),
        needed_operators(operators, {tensor.index for tensor in outputs}),
        tuple(graph.tensors[index] for index in graph.inputs),
        tuple(graph.tensors[index] for index in graph.outputs),
    )


def _input(graph: Graph, operators: list[Operator], x: Tensor) -> Tensor:
    if x.dtype != "float32":
        return x
    readers = [operator for operator in operators if x.index in operator.inputs]
    if len(readers) != 1 or readers[0].name != "QUANTIZE" or len(readers[0].outputs) != 1:
        return x
    inside = graph.tensors[readers[0].outputs[0]]
    if x.index in graph.outputs or inside.dtype not in QUANTIZED:
        return x
    operators.remove(readers[0])
    _check_sizes(graph, readers[0], x, inside)
    return inside


def _output(graph: Graph, operators: list[Operator], y: Tensor) -> Tensor:
    if y.dtype != "float32":
        return y
    writer = next((operator for operator in operators if y.index in operator.outputs), None)
    if writer is None or writer.name != "DEQUANTIZE" or len(writer.inputs) != 1 or writer.inputs[0] == -1:
        return y
    inside = graph.tensors[writer.inputs[0]]
    if any(y.index in operator.inputs for operator in operators) or inside.dtype not in QUANTIZED:
        return y
    operators.remove(writer)
    _check_sizes(graph, writer, inside, y)
    return inside


def _check(graph: Graph, tensor: Tensor, role: str) -> None:
    if tensor.dtype not in TYPES or len(tensor.scales) > 1 or tensor.elements < 1:
        raise graph.refuse(
            tensor,
            f"the model's {role} is {tensor.dtype} with {len(tensor.scales)} scales; supported are "
            f"{', '.join(TYPES)} with one or none: convert with full integer quantization (TFLITE_BUILTINS_INT8 and a "
            "representative dataset), or give the float model and --calibration",
        )


def needed_operators(operators: list[Operator], wanted: set[int]) -> tuple[Operator, ...]:
    """Those whose results reach the tensors `wanted` as data, or that leave something behind: they have no output.

    What only computes the shape for a RESHAPE, or a tensor of which the shape is asked, has nothing to do: shapes are
    fixed in a .tflite.
    """
    needed = set(wanted)
    kept: list[Operator] = []
    for operator in reversed(operators):
        if operator.outputs and needed.isdisjoint(operator.outputs):
            continue
        kept.append(operator)
        needed.update(operator.inputs[: _READ_INPUTS.get(operator.name)])
    return tuple(reversed(kept))


def _check_sizes(graph: Graph, operator: Operator, before: Tensor, after: Tensor) -> None:
    if before.elements != after.elements:  # TFLM does not look, and reads or writes beyond the smaller one
        raise graph.refuse(operator, f"cannot make {list(after.shape)} of {list(before.shape)}")
