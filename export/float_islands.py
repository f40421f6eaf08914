# SPDX-License-Identifier: Apache-2.0
"""Operators that TensorFlow's quantizer leaves in float though TFLite Micro computes them in int8: the DEQUANTIZE
before and the QUANTIZE behind are taken away. Loads TensorFlow's reader of its own format."""

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
    if not set(ONE_TO_ONE) & set(codes):
        return tflite
    for graph in model.subgraphs:
        _close(graph, codes, schema.TensorType.INT8)
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _close(graph: Any, codes: list[str], int8: int) -> None:
    def name(operator: Any) -> str:
        return str(codes[operator.opcodeIndex])

    def readers(tensor: int) -> list[Any]:
        return [operator for operator in graph.operators if tensor in operator.inputs]

    writers = {int(tensor): operator for operator in graph.operators for tensor in operator.outputs}
    outputs = {int(tensor) for tensor in graph.outputs}
    for operator in list(graph.operators):
        before = writers.get(int(operator.inputs[0])) if name(operator) in ONE_TO_ONE else None
        behind = readers(int(operator.outputs[0])) if before is not None else []
        if before is None or name(before) != "DEQUANTIZE" or len(behind) != 1 or name(behind[0]) != "QUANTIZE":
            continue
        x, y = int(before.inputs[0]), int(behind[0].outputs[0])
        if int(operator.outputs[0]) in outputs or {graph.tensors[x].type, graph.tensors[y].type} != {int8}:
            continue
        operator.inputs, operator.outputs = [x], [y]
        graph.operators.remove(behind[0])
        if not readers(int(before.outputs[0])) and int(before.outputs[0]) not in outputs:
            graph.operators.remove(before)
