# SPDX-License-Identifier: Apache-2.0
"""An input that is cut and put together in another order: cases for the tests of SPLIT and CONCATENATION."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import seeds, zero_points
from support.tflite_writer import Model


def resized(shape: tuple[int, ...], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])


@st.composite
def rearranged(draw: st.DrawFn, most: int = 5) -> Case:
    """An input split along one axis and put together along another, constants in between."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    count = draw(st.integers(1, most))
    split_axis, axis = (draw(st.integers(0, len(shape) - 1)) for _ in range(2))
    signed = [a - len(shape) if draw(st.booleans()) else a for a in (split_axis, axis)]
    q = (0.25, draw(zero_points))
    model = Model()
    source = model.input(resized(shape, split_axis, shape[split_axis] * count), *q)
    parts = [model.tensor(shape, *q) for _ in range(count)]
    model.add("SPLIT", [model.tensor((1,), values=[signed[0]], dtype="int32"), source], parts, numSplits=count)
    order = draw(st.permutations(parts))
    total = shape[axis] * count
    if draw(st.booleans()):
        size = draw(st.integers(1, 3))
        total += size
        extra = resized(shape, axis, size)
        values = [(31 * i) % 256 - 128 for i in range(math.prod(extra))]
        order = [*order[:1], model.tensor(extra, *q, values=values), *order[1:]]
    target = model.tensor(resized(shape, axis, total), *q)
    model.add("CONCATENATION", order, [target], axis=signed[1])
    label = f"{shape} x {count}, split {signed[0]}, joined {signed[1]}, {order}"
    return Case(label, model.build(target), edge_inputs(count * math.prod(shape), draw(seeds), 1))
