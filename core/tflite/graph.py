# SPDX-License-Identifier: Apache-2.0
"""A .tflite as plain data: what the reader hands to the compiler, the reference and `inspect`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tinyproof.core.errors import InputFileError


@dataclass(frozen=True)
class Tensor:
    """`data` holds the little-endian bytes of a constant, or None. Real value = scale * (q - zero_point), with one
    scale for all, or one for each index of dimension `quantized_dimension`."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    data: bytes | None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def label(self) -> str:
        """How messages name it. Names are the file's, so they are quoted, escaped and kept short."""
        return f"tensor {self.index} ({ascii(self.name)[:60]})"


@dataclass(frozen=True)
class Operator:
    """`inputs` and `outputs` index Graph.tensors; -1 is an optional input left out."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, int]
    real_options: dict[str, float] = field(default_factory=dict)
    text_options: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"operator {self.index} ({self.name})"


@dataclass(frozen=True)
class Graph:
    """One subgraph, its operators in an order that computes every tensor before its use (checked by the reader)."""

    file: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def refuse(self, part: Operator | Tensor, why: str) -> InputFileError:
        """The error that names a part of this model and what to do about it."""
        return InputFileError(f"{self.file}: {part.label}: {why}")
