# SPDX-License-Identifier: Apache-2.0
"""Reads a .tflite that nobody vouches for into a Graph, in time and memory bounded by the file's size.

Field numbers are those of TFLite's schema, version 3. Whatever the reader accepts is consistent: indices in range,
sizes that fit their buffers, scales finite and positive. Who computes asks Graph.check_order first.
"""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

from tinyproof.core.errors import InputFileError
from tinyproof.core.files import file_bytes
from tinyproof.core.tflite.flatbuffer import Flatbuffer, Table
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.schema import BUILTIN_OPERATORS, IDENTIFIER, TENSOR_TYPES, VERSION
from tinyproof.core.tflite.schema_options import options_number, options_of

MAX_FILE_BYTES = 64 << 20  # no microcontroller holds more; keeps the cost of a hostile file small
MAX_RANK = 8
MAX_ELEMENTS = 1 << 28
_ZERO_POINT_RANGE = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def read_file(path: Path) -> bytes:
    """The bytes of a .tflite. Raises InputFileError when it is missing, unreadable or far too large."""
    try:
        size = file_bytes(path)
        if size > MAX_FILE_BYTES:
            raise InputFileError(f"{path.name}: {size:,} bytes; tinyproof reads models up to {MAX_FILE_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{path.name}: {error.strerror}; give the path of a .tflite file") from error


def read_graph(data: bytes, file: str = "model.tflite") -> Graph:
    """Decode `data`; `file` names it in messages. Raises InputFileError naming the part that is wrong."""
    if len(data) > MAX_FILE_BYTES:
        raise InputFileError(f"{file}: {len(data):,} bytes; tinyproof reads models up to {MAX_FILE_BYTES:,}")
    buffer = Flatbuffer(data, file)
    root = buffer.root(IDENTIFIER)
    version = root.integer(0, "I")
    if version != VERSION:
        raise buffer.damaged(f"schema version {version}, expected {VERSION}")
    subgraphs = root.tables(2, "subgraph")
    if not subgraphs:
        raise buffer.damaged("it has no subgraph")
    buffers = root.tables(4, "buffer")
    codes = [_operator_code(code) for code in root.tables(1, "operator code")]
    others = tuple(_subgraph(buffer, table, buffers, codes) for table in subgraphs[1:])
    graph = dataclasses.replace(_subgraph(buffer, subgraphs[0], buffers, codes), subgraphs=(None, *others))
    if not buffers:  # TFLite Micro would end with a segmentation fault
        raise buffer.damaged("it has no buffers, not even that for no data")
    if buffers[0].blob(0, "buffer 0"):  # TFLite Micro would write the tensors that have no data into it
        raise buffer.damaged("buffer 0, which stands for no data, holds some")
    if not graph.inputs or not graph.outputs:
        raise buffer.damaged("it has no inputs or no outputs")
    return graph


def _subgraph(buffer: Flatbuffer, table: Table, buffers: list[Table], codes: list[tuple[str, int]]) -> Graph:
    tensors = tuple(_tensor(buffer, i, part, buffers) for i, part in enumerate(table.tables(0, "tensor")))
    operators = tuple(_operator(buffer, i, part, codes) for i, part in enumerate(table.tables(3, "operator")))
    inputs = table.integers(1, "i", "the list of inputs")
    outputs = table.integers(2, "i", "the list of outputs")
    graph = Graph(buffer.file, tensors, operators, inputs, outputs)
    _check_indices(buffer, graph)
    return graph


def _operator_code(table: Table) -> tuple[str, int]:
    # deprecated_builtin_code is a byte: codes from 127 on are only in builtin_code, hence the larger of the two.
    code = max(table.integer(0, "b"), table.integer(3, "i"))
    name = BUILTIN_OPERATORS[code] if 0 <= code < len(BUILTIN_OPERATORS) else f"unknown operator {code}"
    if name == "CUSTOM":
        custom = table.text(1, "a custom operator")
        name = f"CUSTOM {custom if re.fullmatch(r'[A-Za-z0-9_]{1,60}', custom) else ascii(custom)[:40]}"
    return name, table.integer(2, "i", 1)


def _operator(buffer: Flatbuffer, index: int, table: Table, codes: list[tuple[str, int]]) -> Operator:
    code = table.integer(0, "I")
    if code >= len(codes):
        raise buffer.damaged(f"operator {index} has code {code} of {len(codes)}")
    name, version = codes[code]
    options: dict[str, int] = {}
    reals: dict[str, float] = {}
    texts: dict[str, str] = {}
    found = table.table(4, f"the options of operator {index}")
    kind, own = table.integer(3, "B"), options_number(name)
    if own is not None and kind not in (0, own):  # TFLite Micro takes them for no options at all
        raise buffer.damaged(f"operator {index} ({name}) has the options of another one")
    for key, field in options_of(kind if own else 0).items():
        if field.kind == "s":
            texts[key] = "" if found is None else found.text(field.number, f"{key} of operator {index}")
            continue
        value = field.default if found is None else found.number(field.number, field.kind, field.default)
        if field.kind == "f":
            reals[key] = float(value)
        else:
            options[key] = int(value)
    what = f"the tensor list of operator {index}"
    inputs, outputs = table.integers(1, "i", what), table.integers(2, "i", what)
    said = options.get("values_count", 0)
    if name == "PACK" and said != len(inputs):  # TFLite Micro reads what is not there, and ends
        raise buffer.damaged(f"operator {index} (PACK) has other than the {said} inputs it says")
    intermediates = table.integers(8, "i", f"the intermediates of operator {index}")
    custom = table.blob(5, f"the custom options of operator {index}")
    return Operator(index, name, version, inputs, outputs, options, reals, texts, intermediates, custom)


def _tensor(buffer: Flatbuffer, index: int, table: Table, buffers: list[Table]) -> Tensor:
    name = table.text(3, f"the name of tensor {index}")
    label = f"tensor {index} ({ascii(name)[:60]})"
    shape = table.integers(0, "i", f"the shape of {label}")
    kind = table.integer(1, "b")
    if kind not in TENSOR_TYPES:
        raise buffer.damaged(f"{label} has the unknown type {kind}")
    dtype, bits = TENSOR_TYPES[kind]
    if len(shape) > MAX_RANK or any(size < 0 for size in shape) or math.prod(shape) > MAX_ELEMENTS:
        raise InputFileError(
            f"{buffer.file}: {label}: shape {list(shape)[: MAX_RANK + 1]}; tinyproof takes fixed shapes of at most "
            f"{MAX_RANK} dimensions and {MAX_ELEMENTS:,} elements"
        )
    number = table.integer(2, "I")
    data = None
    if number != 0:  # buffer 0 is the schema's "no data"
        if number >= len(buffers):
            raise buffer.damaged(f"{label} uses buffer {number} of {len(buffers)}")
        if buffers[number].integer(1, "Q") > 1:
            raise InputFileError(f"{buffer.file}: {label}: data outside the FlatBuffer; convert the model below 2 GB")
        data = buffers[number].blob(0, f"the data of {label}") or None
    if data is not None and bits and len(data) != -(-math.prod(shape) * bits // 8):
        raise buffer.damaged(f"{label} of shape {list(shape)} and type {dtype} has {len(data)} bytes of data")
    scales, zero_points, dimension = _quantization(buffer, table, label, dtype, len(shape))
    if table.table(6, f"the sparsity of {label}") is not None:
        raise InputFileError(f"{buffer.file}: {label} is sparse; convert the model without sparsity")
    return Tensor(index, name, shape, dtype, scales, zero_points, dimension, data, bool(table.integer(5, "?")))


def _quantization(
    buffer: Flatbuffer, tensor: Table, label: str, dtype: str, rank: int
) -> tuple[tuple[float, ...], tuple[int, ...], int]:
    table = tensor.table(4, f"the quantization of {label}")
    if table is None:
        return (), (), 0
    scales = tuple(float(value) for value in table.numbers(2, "f", f"the scales of {label}"))
    zero_points = table.integers(3, "q", f"the zero points of {label}")
    dimension = table.integer(6, "i")
    if not scales or not zero_points:  # TFLite Micro takes a tensor with either alone for one without
        return (), (), 0
    if not all(math.isfinite(scale) and scale > 0 for scale in scales):
        raise buffer.damaged(f"{label} has a scale that is not a positive number")
    if len(zero_points) != len(scales):
        raise buffer.damaged(f"{label} has {len(scales)} scales and {len(zero_points)} zero points")
    low, high = _ZERO_POINT_RANGE.get(dtype, (-(2**31), 2**31 - 1))
    if not all(low <= zero_point <= high for zero_point in zero_points):
        raise buffer.damaged(f"{label} of type {dtype} has a zero point outside [{low}, {high}]")
    # TFLite Micro never looks at the dimension where it has no use for it, and some files hold nonsense there.
    return scales, zero_points, dimension if 0 <= dimension < rank else 0


def _check_indices(buffer: Flatbuffer, graph: Graph) -> None:
    """Every tensor that is named is there, and no input is a constant or listed twice."""

    def check(indices: tuple[int, ...], what: str) -> None:
        for index in indices:
            if not 0 <= index < len(graph.tensors):
                raise buffer.damaged(f"{what} refers to tensor {index} of {len(graph.tensors)}")

    check(graph.inputs, "the list of inputs")
    check(graph.outputs, "the list of outputs")
    for operator in graph.operators:
        check(tuple(index for index in operator.inputs if index != -1), operator.label)
        check(operator.outputs, operator.label)
        check(tuple(index for index in operator.intermediates if index != -1), operator.label)
    for index in graph.inputs:
        if graph.tensors[index].data is not None or graph.inputs.count(index) > 1:
            raise buffer.damaged(f"input {index} is a constant, or is listed twice")
