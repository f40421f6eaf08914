# SPDX-License-Identifier: Apache-2.0
"""Writes .tflite files of any content, operator by operator: models that no converter makes.

Uses the schema's classes that the tflite-micro wheel ships, so that importing it does not load TensorFlow; where there
is no such wheel, those of TensorFlow itself.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from typing import Any

import flatbuffers
from flatbuffers import flexbuffers

from tinyproof.core.tflite.schema_classes import schema_classes

schema = schema_classes()
_STRUCT = {
    "bool": "?",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}
_OPTIONS = {name.lower(): name for name in vars(schema.BuiltinOptions) if not name.startswith("_")}
# Operators whose table of options is not called like them.
_SHARED_OPTIONS = {
    **dict.fromkeys(("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"), "Pool2DOptions"),
    **dict.fromkeys(("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM"), "ReducerOptions"),
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), "MaximumMinimumOptions"),
    "L2_NORMALIZATION": "L2NormOptions",
}


class Subgraph:
    """A graph under construction, one of a file's. Tensors are named by their indices.

    `inputs` and `outputs` are the graph's own; `tensors` and `operators` are the schema's objects, free to be changed.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def tensor(
        self,
        shape: Sequence[int],
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        values: Sequence[float] | bytes | None = None,
        dtype: str = "int8",
        *,
        axis: int = 0,
        name: str | None = None,
        variable: bool = False,
    ) -> int:
        """A constant where `values` are given (bytes are taken as they are), otherwise one that is computed.

        `dtype` is a type of the schema in lower case. Several scales belong to the places along dimension `axis`; one
        zero point is then that of each. A `variable` keeps its values from one inference to the next.
        """
        tensor = schema.TensorT()
        tensor.shape = list(shape)
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.name = name or f"t{len(self.tensors)}"
        tensor.isVariable = variable
        scales = [scale] if isinstance(scale, int | float) else list(scale or ())
        if scales:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            zero_points = [zero_point] * len(scales) if isinstance(zero_point, int) else list(zero_point)
            tensor.quantization.zeroPoint = zero_points
            tensor.quantization.quantizedDimension = axis
        if values is not None:
            buffer = schema.BufferT()
            buffer.data = list(values if isinstance(values, bytes) else pack_values(values, dtype))
            tensor.buffer = len(self._file.buffers)
            self._file.buffers.append(buffer)
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def input(self, shape: Sequence[int], scale: float | None = None, zero_point: int = 0, dtype: str = "int8") -> int:
        """A tensor that is the graph's next input."""
        self.inputs.append(self.tensor(shape, scale, zero_point, dtype=dtype))
        return self.inputs[-1]

    def add(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        version: int = 1,
        *,
        bare: bool = False,
        **options: Any,
    ) -> None:
        """An operator by its name in the schema, with the fields of its options, as the schema spells them.

        Like a converter's it has a table of options wherever the schema knows one, unless it is `bare`.
        """
        operator = self._operator(getattr(schema.BuiltinOperator, name), inputs, outputs, version)
        table = _SHARED_OPTIONS.get(name) or _OPTIONS.get(name.replace("_", "").lower() + "options")
        if table is not None and not bare:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            operator.builtinOptions = getattr(schema, table + "T")()
        for key, value in options.items():
            if not hasattr(operator.builtinOptions, key):
                raise AttributeError(f"the options of {name} have no {key}")
            setattr(operator.builtinOptions, key, value)

    def add_custom(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: bytes = b"", version: int = 1
    ) -> None:
        """An operator that the schema does not know, with options of its own format."""
        operator = self._operator(schema.BuiltinOperator.CUSTOM, inputs, outputs, version)
        self._file.operatorCodes[-1].customCode = name
        operator.customOptions = list(options)

    def add_signal(self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: int) -> None:
        """A signal operator of TFLite Micro by its name without "Signal", with its options, as a converter writes
        them."""
        self.add_custom(f"Signal{name}", inputs, outputs, bytes(flexbuffers.Dumps(options)))

    def pack(self) -> Any:
        """The schema's object."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = self.inputs, self.outputs
        return graph

    def _operator(self, code: int, inputs: Sequence[int], outputs: Sequence[int], version: int) -> Any:
        kind = schema.OperatorCodeT()
        kind.builtinCode, kind.deprecatedBuiltinCode, kind.version = code, min(code, 127), version
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._file.operatorCodes)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        self._file.operatorCodes.append(kind)
        self.operators.append(operator)
        return operator

    def add_dense(
        self,
        x: int,
        y: int,
        weights: Sequence[Sequence[int]],
        scales: float | Sequence[float],
        bias: Sequence[int] | None = None,
        version: int = 4,
        **options: Any,
    ) -> None:
        """FULLY_CONNECTED with the weights of each unit and one scale for all, or one for each."""
        flat = list(itertools.chain(*weights))
        operands = [x, self.tensor((len(weights), len(weights[0])), scales, 0, flat), -1]
        if bias is not None:
            scale = self.tensors[x].quantization.scale[0] * self.tensors[operands[1]].quantization.scale[0]
            operands[2] = self.tensor((len(bias),), scale, 0, bias, "int32")
        self.add("FULLY_CONNECTED", operands, [y], version, **options)


class Model(Subgraph):
    """A file and its first graph: `build` returns its bytes. `buffers` are the schema's objects; the first is empty."""

    def __init__(self) -> None:
        file = schema.ModelT()
        file.version, file.operatorCodes, file.buffers = 3, [], [schema.BufferT()]
        super().__init__(file)
        self.buffers: list[Any] = file.buffers
        self.subgraphs: list[Subgraph] = [self]

    def subgraph(self) -> Subgraph:
        """One more graph, such as the body of a WHILE. The first one is number 0."""
        self.subgraphs.append(Subgraph(self._file))
        return self.subgraphs[-1]

    def build(self, *outputs: int) -> bytes:
        """The file. `outputs` are the first graph's, where they are not set yet."""
        if outputs:
            self.outputs = list(outputs)
        self._file.subgraphs = [graph.pack() for graph in self.subgraphs]
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._file.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def pack_values(values: Sequence[float], dtype: str) -> bytes:
    """As a .tflite stores them: little-endian; two int4 in a byte, the first one in its lower half."""
    if dtype == "int4":
        nibbles = [int(value) & 15 for value in values] + [0] * (len(values) % 2)
        return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return struct.pack(f"<{len(values)}{_STRUCT[dtype]}", *values)
