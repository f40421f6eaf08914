# SPDX-License-Identifier: Apache-2.0
"""A .tflite as plain data: what the reader hands to the compiler, the reference and `inspect`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.dtypes import DTYPES

KEEPING = ("CUSTOM CIRCULAR_BUFFER",)  # operators whose output is what they remember


@dataclass(frozen=True)
class Tensor:
    """`data` holds the little-endian bytes of a constant, or None. Real value = scale * (q - zero_point), with one
    scale for all, or one for each index of dimension `quantized_dimension`. One that `is_variable` is state: it keeps
    its value from one inference to the next, and begins as zeros."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    data: bytes | None
    is_variable: bool = False

    @property
    def bytes(self) -> int:
        """What its elements take in memory; 0 for types that tinyproof does not compute with."""
        return DTYPES[self.dtype].bytes_of(self.elements) if self.dtype in DTYPES else 0

    @property
    def elements(self) -> int:
        """How many values it has; 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def quantization(self) -> tuple[float, int]:
        """Scale and zero point of all elements: what those stand for as they are where there are none."""
        return (self.scales[0], self.zero_points[0]) if self.scales else (1.0, 0)

    @property
    def is_state(self) -> bool:
        """Whether it keeps numbers from one inference to the next."""
        return self.is_variable and self.data is None and self.dtype in DTYPES and self.dtype != "int4"

    @property
    def label(self) -> str:
        """How messages name it. Names are the file's, so they are quoted, escaped and kept short."""
        return f"tensor {self.index} ({ascii(self.name)[:60]})"


@dataclass(frozen=True)
class Operator:
    """`inputs` and `outputs` index Graph.tensors; -1 is an optional input left out. `custom_options`: of a custom
    operator, whose name begins with "CUSTOM ", as they stand in the file."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, int]
    real_options: dict[str, float] = field(default_factory=dict)
    text_options: dict[str, str] = field(default_factory=dict)
    intermediates: tuple[int, ...] = ()
    custom_options: bytes = b""

    @property
    def label(self) -> str:
        """How messages name it: its number in the subgraph, and its kind."""
        return f"operator {self.index} ({self.name})"

    @property
    def resource(self) -> str:
        """Of a VAR_HANDLE: the name of the variable that it stands for, which is one in all subgraphs."""
        return f"{self.text_options['container']}\0{self.text_options['shared_name']}"


@dataclass(frozen=True)
class Graph:
    """A subgraph. `subgraphs`, of the model's main one: all of them by their index, itself not included (None)."""

    file: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    subgraphs: tuple[Graph | None, ...] = ()

    @property
    def all_graphs(self) -> tuple[Graph, ...]:
        """Of the model's main subgraph: itself and all others, by their index."""
        return (self, *(graph for graph in self.subgraphs if graph is not None))

    def check_order(self) -> None:
        """Every tensor is computed once, and before it is read: no cycles, no dangling ends. Raises InputFileError."""
        kept = {index for operator in self.operators if operator.name in KEEPING for index in operator.outputs}
        states = {tensor.index for tensor in self.tensors if tensor.is_variable}
        known = (
            {tensor.index for tensor in self.tensors if tensor.data is not None} | (states - kept) | set(self.inputs)
        )
        for operator in self.operators:
            for index in operator.inputs:
                if index != -1 and index not in known:
                    raise self.refuse(operator, f"reads {self.tensors[index].label} before anything computes it")
            for index in operator.outputs:
                if index in known:
                    raise self.refuse(operator, f"writes {self.tensors[index].label}, which has a value already")
                known.add(index)
        for index in self.outputs:
            if index not in known:
                raise InputFileError(
                    f"{self.file}: not a usable .tflite: nothing computes its output, {self.tensors[index].label}; "
                    "convert the model again"
                )

    def refuse(self, part: Operator | Tensor, why: str) -> InputFileError:
        """The error that names a part of this model and what to do about it."""
        return InputFileError(f"{self.file}: {part.label}: {why}")
