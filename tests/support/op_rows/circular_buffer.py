# SPDX-License-Identifier: Apache-2.0
"""CIRCULAR_BUFFER of any size, followed by something that uses its rows."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_rows.variables import frames
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

MAP = b"cycles_max\x00\x01\x0c\x01\x01\x01"  # a key, the keys, and the values' head


def vector_options(cycles: int) -> bytes:
    """A FlexBuffers vector of one number."""
    return bytes([1, cycles, 4, 2, 0x28, 1])


def map_options(cycles: int) -> bytes:
    """A map with a key, as the converter of these models writes it."""
    return MAP + bytes([cycles, 4, 2, 0x24, 1])


def build(
    options: bytes, zero_point: int = 0, row: tuple[int, ...] = (1, 1, 1, 3), rows: int = 4, **changes: Any
) -> bytes:
    model = Model()
    source = model.input(row, 0.5, zero_point)
    shape = changes.get("shape") or (1, rows, *row[2:])
    kept = model.tensor(shape, 0.5, zero_point, variable=changes.get("variable", True))
    target = model.tensor(shape, 0.5, zero_point)
    model.add_custom("CIRCULAR_BUFFER", [source], [kept], options)
    model.add("RELU", [kept], [target])
    return model.build(target)


@st.composite
def buffers(draw: st.DrawFn) -> Case:
    row = (1, 1, draw(st.integers(1, 3)), draw(st.integers(1, 9)))
    rows, cycles = draw(st.integers(1, 14)), 1
    options = draw(st.sampled_from([vector_options, map_options]))(cycles)
    if draw(st.booleans()):
        options, rows = b"", draw(st.sampled_from([5, 13, 25]))
    tflite = build(options, draw(zero_points), row, rows)
    return Case(f"{row} x {rows} {options!r}", tflite, frames(math.prod(row), draw(seeds), 20))


NAME = "CUSTOM CIRCULAR_BUFFER"
ROWS = [Row(NAME, "rows", buffers(), count=30)]
REFUSALS = [
    Refusal(NAME, build(map_options(2)), "one of 2 inferences"),
    Refusal(NAME, build(b""), "one of 2 inferences"),
    Refusal(NAME, build(b"\x00\x01"), "one of 2 inferences"),
    Refusal(NAME, build(vector_options(1), variable=False), "is no variable"),
    Refusal(NAME, build(vector_options(1), shape=(1, 4, 1, 2)), "is supported"),
]
