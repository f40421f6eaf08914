# SPDX-License-Identifier: Apache-2.0
"""Models of one operator that moves elements of any type, and inputs that fit their types."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.tflite_writer import Model
from tinyproof.core.tflite.dtypes import DTYPES

Shape = tuple[int, ...]


class Part(NamedTuple):
    """A tensor beside the operator. One without `values`, on the input side, is an input of the model."""

    shape: Shape
    dtype: str = "int8"
    values: Sequence[int] | None = None
    scale: float | None = 0.5
    zero_point: int = 0


def ints(*values: int, dtype: str = "int32") -> Part:
    """A list of integers, a constant."""
    return Part((len(values),), dtype, values, None)


def index(shape: Shape, dtype: str = "int32") -> Part:
    """Integers that are computed."""
    return Part(shape, dtype, None, None)


def one(name: str, inputs: Sequence[Part], outputs: Sequence[Part], **options: Any) -> bytes:
    """The operator alone; all of its outputs are the model's."""
    model = Model()
    operands = []
    for part in inputs:
        if part.values is None:
            operands.append(model.input(part.shape, part.scale, part.zero_point, part.dtype))
        else:
            operands.append(model.tensor(part.shape, part.scale, part.zero_point, part.values, part.dtype))
    made = [model.tensor(part.shape, part.scale, part.zero_point, dtype=part.dtype) for part in outputs]
    model.add(name, operands, made, **options)
    return model.build(*made)


def data(part: Part, seed: int, extra: int = 1) -> tuple[bytes, ...]:
    """Values of a computed tensor; those of bool are 0 and 1."""
    width = DTYPES[part.dtype].bits // 8
    inputs = edge_inputs(math.prod(part.shape) * width, seed, extra)
    return tuple(bytes(byte & 1 for byte in x) for x in inputs) if part.dtype == "bool" else inputs


def packed(values: Sequence[int], dtype: str = "int32") -> bytes:
    return struct.pack(f"<{len(values)}{DTYPES[dtype].letter}", *values)


def case(
    name: str,
    inputs: Sequence[Part],
    outputs: Sequence[Part],
    samples: Sequence[bytes],
    **options: Any,
) -> Case:
    label = f"{name} {[tuple(part[:3]) for part in inputs]} -> {[part.shape for part in outputs]} {options}"
    return Case(label, one(name, inputs, outputs, **options), tuple(samples))


def shapes(least: int = 1, most: int = 4, size: int = 5) -> st.SearchStrategy[Shape]:
    return st.lists(st.integers(1, size), min_size=least, max_size=most).map(tuple)


def kinds(*types: str) -> st.SearchStrategy[str]:
    return st.sampled_from(types)
