# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE by any permutation; STRIDED_SLICE with any begin, end, stride and mask."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def sliced(
    shape: Shape,
    slices: list[tuple[int, int, int]],
    output: Shape,
    **masks: Any,
) -> bytes:
    model = Model()
    source = model.input(shape, 0.5)
    operands = [
        model.tensor((len(slices),), values=list(column), dtype="int32") for column in zip(*slices, strict=True)
    ]
    target = model.tensor(output, 0.5)
    model.add("STRIDED_SLICE", [source, *operands], [target], **masks)
    return model.build(target)


@st.composite
def slices(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    chosen, output = [], []
    begin_mask, end_mask, shrink = (draw(st.integers(0, 2 ** len(shape) - 1)) for _ in range(3))
    shrink &= ~begin_mask & ~(1 << draw(st.integers(0, len(shape) - 1)))  # something stays
    for axis, size in enumerate(shape):
        shrunk = shrink >> axis & 1
        step = draw(st.sampled_from([1, 1, 2, 3] if shrunk else [1, 1, 2, -1, -2]))
        begin = draw(st.integers(0, size - 1))
        end = draw(st.integers(begin + 1, size + 2) if step > 0 else st.integers(-size - 1, begin - size - 1))
        ends = None if begin_mask >> axis & 1 else begin, None if end_mask >> axis & 1 else end
        chosen.append((begin - draw(st.sampled_from([0, size])), end, step))
        if not shrunk:
            output.append(len(range(size)[ends[0] : ends[1] : step]))
    masks = {"beginMask": begin_mask, "endMask": end_mask, "shrinkAxisMask": shrink}
    tflite = sliced(shape, chosen, tuple(output), **masks)
    return Case(f"{shape} {chosen} {masks}", tflite, edge_inputs(math.prod(shape), draw(seeds), 1))


def transpose(shape: Shape, permutation: list[int], zero_point: int = 0, **changes: Any) -> bytes:
    model = Model()
    source = model.input(shape, 0.5, zero_point)
    operand = model.tensor((len(permutation),), values=permutation, dtype="int32")
    result = changes.get("output") or tuple(shape[axis] for axis in permutation)
    target = model.tensor(result, changes.get("scale", 0.5), zero_point)
    model.add("TRANSPOSE", [source, operand], [target])
    return model.build(target)


@st.composite
def transposes(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=5)))
    permutation = draw(st.permutations(range(len(shape))))
    tflite = transpose(shape, permutation, draw(zero_points))
    return Case(f"TRANSPOSE {shape} {permutation}", tflite, edge_inputs(math.prod(shape), draw(seeds), 1))


ROWS = [
    Row("STRIDED_SLICE", "any_slice", slices(), count=60),
    Row("TRANSPOSE", "any_permutation", transposes(), count=60),
]
REFUSALS = [
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 4, 0)], (4,)), "stride other than 0"),
    Refusal("STRIDED_SLICE", sliced((4,), [(3, 1, 1)], (1,)), "takes nothing"),
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 2, 1)], (3,)), "does not follow"),
    Refusal("STRIDED_SLICE", sliced((4, 2), [(4, 5, 1), (0, 2, 1)], (2,), shrinkAxisMask=1), "does not exist"),
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 2, 1)], (2,), newAxisMask=1), "new_axis_mask"),
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 2, 1)], (2,), ellipsisMask=1), "ellipsis_mask"),
    Refusal("TRANSPOSE", transpose((2, 3), [0, 0], output=(2, 2)), "no permutation"),
    Refusal("TRANSPOSE", transpose((2, 3), [0, -1], output=(2, 3)), "no permutation"),
    Refusal("TRANSPOSE", transpose((2, 3), [1, 0], output=(2, 3)), "does not follow"),
    Refusal("TRANSPOSE", transpose((2, 3), [1, 0], scale=0.25), "scale"),
    Refusal("TRANSPOSE", transpose((1, 1, 1, 1, 2, 3), [0, 1, 2, 3, 5, 4]), "1 to 5 dimensions"),
]
