# SPDX-License-Identifier: Apache-2.0
"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape, between two kernels."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import Quantization, seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def reshaped(
    name: str,
    shape: Shape,
    result: Shape,
    operand: list[int] | None = None,
    y: Quantization = (0.5, 3),
    **values: Any,
) -> bytes:
    """The operator alone. `operand` is its second input, a constant."""
    model = Model()
    source = model.input(shape, 0.5, 3)
    target = model.tensor(result, *y)
    _add(model, name, source, target, operand, values)
    return model.build(target)


def between(name: str, shape: Shape, result: Shape, operand: list[int] | None, seed: int, **values: Any) -> Case:
    """The operator between two that move or change bytes, the second along the new shape's last dimension; its input is
    needed again afterwards, so that nothing may be overwritten."""
    model = Model()
    source = model.input(shape, 0.5, 3)
    active = model.tensor(shape, 0.5, 3)
    model.add("RELU", [source], [active])
    made = model.tensor(result, 0.5, 3)
    _add(model, name, active, made, operand, values)
    bias = [(seed >> i % 32) % 200 - 100 for i in range(result[-1])]
    added = model.tensor(result, 0.9, -4)
    model.add("ADD", [made, model.tensor(result[-1:], 0.3, 1, bias)], [added], fusedActivationFunction=0)
    flat = model.tensor((math.prod(shape),), 0.5, 3)
    model.add("RESHAPE", [active, model.tensor((1,), values=[math.prod(shape)], dtype="int32")], [flat])
    last = model.tensor((math.prod(shape),), 0.9, -4)
    model.add("RESHAPE", [added, model.tensor((1,), values=[math.prod(shape)], dtype="int32")], [last])
    target = model.tensor((math.prod(shape),), 1.1, 0)
    model.add("ADD", [flat, last], [target], fusedActivationFunction=0)
    label = f"{name} {shape} -> {result} {operand} {values}"
    return Case(label, model.build(target), edge_inputs(math.prod(shape), seed, 1))


def _add(model: Model, name: str, x: int, y: int, operand: list[int] | None, values: dict[str, Any]) -> None:
    inputs = [x] if operand is None else [x, model.tensor((len(operand),), values=operand, dtype="int32")]
    model.add(name, inputs, [y], **values)


@st.composite
def reshapes(draw: st.DrawFn) -> Case:
    """The same sizes in another order, neighbours of them merged; -1 for one of them."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    result: list[int] = []
    for size in draw(st.permutations(shape)):
        merges = draw(st.booleans()) if result else False
        if merges:
            result[-1] *= size
        else:
            result.append(size)
    operand = list(result)
    if draw(st.booleans()):
        operand[draw(st.integers(0, len(result) - 1))] = -1
    if draw(st.booleans()):
        return between("RESHAPE", tuple(shape), tuple(result), operand, draw(seeds))
    return between("RESHAPE", tuple(shape), tuple(result), None, draw(seeds), newShape=operand)


@st.composite
def squeezes(draw: st.DrawFn) -> Case:
    shape = draw(st.lists(st.sampled_from([1, 1, 2, 3, 5]), min_size=2, max_size=5))
    ones = [axis for axis, size in enumerate(shape) if size == 1 and axis > 0]  # something stays
    dropped = sorted(draw(st.sets(st.sampled_from(ones)))) if ones else []
    gone = dropped or [axis for axis, size in enumerate(shape) if size == 1]  # none named: all of them
    kept = [size for axis, size in enumerate(shape) if axis not in gone]
    if not kept:
        dropped, kept = ones, shape[:1]
    signed = [axis - len(shape) if draw(st.booleans()) else axis for axis in dropped]
    return between("SQUEEZE", tuple(shape), tuple(kept), None, draw(seeds), squeezeDims=signed)


@st.composite
def expansions(draw: st.DrawFn) -> Case:
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    place = draw(st.integers(0, len(shape)))
    axis = place - len(shape) - 1 if draw(st.booleans()) else place
    return between("EXPAND_DIMS", shape, (*shape[:place], 1, *shape[place:]), [axis], draw(seeds))


ROWS = [
    Row("RESHAPE", "any_shape", reshapes(), count=20),
    Row("SQUEEZE", "any_dimensions", squeezes(), count=20),
    Row("EXPAND_DIMS", "any_place", expansions(), count=20),
]
REFUSALS = [
    Refusal("RESHAPE", reshaped("RESHAPE", (2, 3), (2, 2)), "cannot make"),
    Refusal("RESHAPE", reshaped("RESHAPE", (2, 3), (2, 3), y=(0.25, 3)), "scale"),
    Refusal("RESHAPE", reshaped("RESHAPE", (2, 3), (2, 3), y=(0.5, 4)), "zero point"),
    Refusal("SQUEEZE", reshaped("SQUEEZE", (2, 1, 3), (2, 2)), "cannot make"),
    Refusal("SQUEEZE", reshaped("SQUEEZE", (2, 1, 3), (2, 1, 3), y=(0.25, 3)), "scale"),
    Refusal("SQUEEZE", reshaped("SQUEEZE", (2, 1, 3), (2, 1, 3), y=(0.5, 4)), "zero point"),
    Refusal("EXPAND_DIMS", reshaped("EXPAND_DIMS", (2, 3), (2, 1, 2)), "cannot make"),
    Refusal("EXPAND_DIMS", reshaped("EXPAND_DIMS", (2, 3), (2, 3), y=(0.25, 3)), "scale"),
    Refusal("EXPAND_DIMS", reshaped("EXPAND_DIMS", (2, 3), (2, 3), y=(0.5, 4)), "zero point"),
]
