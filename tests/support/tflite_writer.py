# SPDX-License-Identifier: Apache-2.0
"""Writes .tflite files of any content with TFLite Micro's own schema: models no converter would make on demand."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Sequence
from typing import Any

import flatbuffers
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "uint8": schema.TensorType.UINT8,
    "int8": schema.TensorType.INT8,
    "int16": schema.TensorType.INT16,
}
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4}


class Writer:
    """`inputs` and `outputs` are set before `pack`. Everything else may be changed in `model`, too."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        scales: Sequence[float] = (),
        zero_points: Sequence[int] | None = None,
        data: bytes | None = None,
        name: str = "t",
    ) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.name = list(shape), TYPES[dtype], name
        if scales:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = list(scales)
            tensor.quantization.zeroPoint = list(zero_points) if zero_points is not None else [0] * len(scales)
            tensor.quantization.quantizedDimension = 0
        if data is not None:
            tensor.buffer = len(self.model.buffers)
            buffer = schema.BufferT()
            buffer.data = list(data)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: Any = None, version: int = 1
    ) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.graph.operators.append(operator)

    def fully_connected(
        self,
        source: int,
        output: int,
        weights: Sequence[Sequence[int]],
        scales: Sequence[float],
        bias: Sequence[int] | None,
        activation: str = "NONE",
        keep_num_dims: bool = False,
        version: int = 4,
    ) -> None:
        units, depth = len(weights), len(weights[0])
        w = self.tensor(
            [units, depth], "int8", scales, None, struct.pack(f"{units * depth}b", *itertools.chain(*weights))
        )
        b = -1
        if bias is not None:
            scale = self.graph.tensors[source].quantization.scale[0] * scales[0]
            b = self.tensor([units], "int32", [scale], None, struct.pack(f"<{units}i", *bias))
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction, options.keepNumDims = ACTIVATIONS[activation], keep_num_dims
        self.operator("FULLY_CONNECTED", [source, w, b], [output], options, version)

    def reshape(self, source: int, output: int, shape: Sequence[int]) -> None:
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        new_shape = self.tensor([len(shape)], "int32", (), None, struct.pack(f"<{len(shape)}i", *shape))
        self.operator("RESHAPE", [source, new_shape], [output], options)

    def pack(self) -> bytes:
        self.graph.inputs, self.graph.outputs = self.inputs, self.outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def dense_network(seed: int, widths: Sequence[int], rows: int = 1) -> bytes:
    """Random layers: activations, per-tensor and per-channel scales, dead units, left shifts, biases or none.

    Output scales follow each layer's reach, so that answers use their range without saturating throughout.
    """
    r = random.Random(seed)
    writer = Writer()
    scale, zero_point = r.uniform(0.005, 0.2), r.randint(-128, 127)
    source = writer.tensor([rows, widths[0]], "int8", [scale], [zero_point])
    writer.inputs = [source]
    for depth, units in itertools.pairwise(widths):
        weights = [[r.randint(-127, 127) for _ in range(depth)] for _ in range(units)]
        per_channel = units > 1 and r.random() < 0.6
        unit = r.uniform(0.01, 0.03) / depth**0.5
        scales = [unit * 2.0 ** -r.randint(0, 4) for _ in range(units if per_channel else 1)]
        if per_channel and r.random() < 0.3:
            scales[r.randrange(units)] = 1e-12  # a channel that rounds to nothing
        reach = max(scales) * scale * 128 * 64 * depth**0.5
        out_scale = reach / 127 * 2.0 ** r.randint(-1, 1)
        if r.random() < 0.15 and scale > 0.01:
            out_scale = max(scales) * scale / r.choice([0.7, 1.5, 3.0])  # no shift, or one to the left; saturates
        out_zero = r.randint(-128, 127)
        output = writer.tensor([rows, units], "int8", [out_scale], [out_zero])
        bias = [r.randint(-4000, 4000) for _ in range(units)] if r.random() < 0.7 else None
        writer.fully_connected(
            source, output, weights, scales, bias, r.choice(["NONE", "RELU", "RELU6", "RELU_N1_TO_1"])
        )
        source, scale = output, out_scale
    writer.outputs = [source]
    return writer.pack()
