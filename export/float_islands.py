# SPDX-License-Identifier: Apache-2.0
"""Operators that TensorFlow's quantizer leaves in float though TFLite Micro computes them in int8: the DEQUANTIZE
before and the QUANTIZE behind are taken away. SPLIT it leaves so in one run and not in the next, for the same model.
Loads TensorFlow's reader of its own format."""

from __future__ import annotations

from typing import Any

ONE_TO_ONE = ("ELU",)


def close_islands(tflite: bytes) -> bytes:
    """DEQUANTIZE, operator, QUANTIZE become the operator alone, between the integers that there are already."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    codes = [names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "") for code in model.operatorCodes]
    if not {*ONE_TO_ONE, "SPLIT"} & set(codes):
        return tflite
    for graph in model.subgraphs:
        _close(graph, codes, schema.TensorType.INT8)
        for operator in list(graph.operators):
            if codes[operator.opcodeIndex] == "SPLIT":
                _close_split(graph, codes, operator)
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _close(graph: Any, codes: list[str], int8: int) -> None:
    def name(operator: Any) -> str:
        return str(codes[operator.opcodeIndex])

    writers = {int(tensor): operator for operator in graph.operators for tensor in operator.outputs}
    outputs = {int(tensor) for tensor in graph.outputs}
    for operator in list(graph.operators):
        before = writers.get(int(operator.inputs[0])) if name(operator) in ONE_TO_ONE else None
        behind = _readers(graph, int(operator.outputs[0])) if before is not None else []
        if before is None or name(before) != "DEQUANTIZE" or len(behind) != 1 or name(behind[0]) != "QUANTIZE":
            continue
        x, y = int(before.inputs[0]), int(behind[0].outputs[0])
        if int(operator.outputs[0]) in outputs or {graph.tensors[x].type, graph.tensors[y].type} != {int8}:
            continue
        operator.inputs, operator.outputs = [x], [y]
        graph.operators.remove(behind[0])
        if not _readers(graph, int(before.outputs[0])) and int(before.outputs[0]) not in outputs:
            graph.operators.remove(before)


def _close_split(graph: Any, codes: list[str], split: Any) -> None:
    """The parts have the scale of the whole; a QUANTIZE to that very scale is nothing."""
    whole = int(split.inputs[1])
    before = next((operator for operator in graph.operators if whole in operator.outputs), None)
    behind = [(int(part), operator) for part in split.outputs for operator in _readers(graph, int(part))]
    if before is None or codes[before.opcodeIndex] != "DEQUANTIZE" or set(graph.outputs) & {whole, *split.outputs}:
        return
    if any(codes[operator.opcodeIndex] != "QUANTIZE" for _, operator in behind):
        return
    x = int(before.inputs[0])
    split.inputs = [int(split.inputs[0]), x]
    for part in split.outputs:
        graph.tensors[part].type, graph.tensors[part].quantization = (
            graph.tensors[x].type,
            graph.tensors[x].quantization,
        )
    for part, quantize in behind:
        y = int(quantize.outputs[0])
        if y not in graph.outputs and _scale(graph, y) == _scale(graph, x):
            for operator in _readers(graph, y):
                operator.inputs = [part if index == y else int(index) for index in operator.inputs]
            graph.operators.remove(quantize)
    if not _readers(graph, whole):
        graph.operators.remove(before)


def _readers(graph: Any, tensor: int) -> list[Any]:
    return [operator for operator in graph.operators if tensor in operator.inputs]


def _scale(graph: Any, index: int) -> tuple[Any, ...]:
    tensor = graph.tensors[index]
    return tensor.type, list(tensor.quantization.scale), list(tensor.quantization.zeroPoint)
