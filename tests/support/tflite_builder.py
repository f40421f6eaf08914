# SPDX-License-Identifier: Apache-2.0
"""Small .tflite files by hand: any shape, scale and zero point, without a converter in the loop.

Uses the schema classes that the tflite-micro wheel ships, so that importing it does not load TensorFlow.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

_TYPES = {"float32": "FLOAT32", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64"}
_STRUCT = {"int8": "b", "int16": "h", "int32": "i", "int64": "q", "float32": "f"}


@dataclass
class Model:
    """A graph under construction. `tensor` returns an index; `build` returns the bytes of the file."""

    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])
    codes: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def tensor(
        self,
        shape: tuple[int, ...],
        scale: float | None = None,
        zero_point: int = 0,
        values: list[int] | None = None,
        dtype: str = "int8",
    ) -> int:
        """A constant where `values` are given, otherwise a tensor that is computed (or the input)."""
        made = schema.TensorT()
        made.shape = list(shape)
        made.type = getattr(schema.TensorType, _TYPES[dtype])
        made.name = f"t{len(self.tensors)}".encode()
        made.buffer = 0
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = [scale]
            made.quantization.zeroPoint = [zero_point]
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = list(struct.pack(f"<{len(values)}{_STRUCT[dtype]}", *values))
            made.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def input(self, shape: tuple[int, ...], scale: float, zero_point: int = 0) -> int:
        index = self.tensor(shape, scale, zero_point)
        self.inputs.append(index)
        return index

    def add(
        self,
        name: str,
        inputs: list[int],
        outputs: list[int],
        options: str = "",
        version: int = 1,
        **values: Any,
    ) -> None:
        """An operator by its name in the schema. `options` names its table ("AddOptions"), `values` its fields."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = version
        self.codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex = len(self.codes) - 1
        made.inputs, made.outputs = inputs, outputs
        if options:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            made.builtinOptions = getattr(schema, options + "T")()
            for key, value in values.items():
                if not hasattr(made.builtinOptions, key):
                    raise AttributeError(f"{options} has no {key}")
                setattr(made.builtinOptions, key, value)
        self.operators.append(made)

    def build(self, output: int) -> bytes:
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs = self.inputs, [output]
        model = schema.ModelT()
        model.version = 3
        model.operatorCodes, model.subgraphs, model.buffers = self.codes, [subgraph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
