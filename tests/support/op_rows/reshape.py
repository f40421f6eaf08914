# SPDX-License-Identifier: Apache-2.0
"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape, between two kernels."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_moves import Part, Shape, case, data, index, ints, kinds, one, shapes
from support.op_rows.strided import EVERY
from support.op_strategies import seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model


def reshaped(
    name: str,
    shape: Shape,
    result: Shape,
    operand: list[int] | None = None,
    **values: Any,
) -> bytes:
    """The operator alone. `operand` is its second input, a constant."""
    model = Model()
    source = model.input(shape, 0.5, 3)
    target = model.tensor(result, 0.5, 3)
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


@st.composite
def any_type(draw: st.DrawFn, name: str) -> Case:
    """Alone, from an input to an output, which lie in the same place; between scales, which nobody compares."""
    x = Part(draw(shapes(least=2)), draw(kinds(*(EVERY if name != "EXPAND_DIMS" else ("int8", "int16")))))
    y = x._replace(shape=tuple(reversed(x.shape)), scale=0.25)
    if name == "RESHAPE":
        computed = draw(st.booleans())  # TFLite Micro reads the output's shape alone
        shape = index((len(y.shape),)) if computed else ints(*y.shape)
        samples = [content + bytes(4 * computed * len(y.shape)) for content in data(x, draw(seeds))]
        return case(name, [x, shape], [y], samples)
    if name == "SQUEEZE":
        x, y = x._replace(shape=(1, *x.shape, 1)), x._replace(scale=0.25)
        return case(name, [x], [y], data(x, draw(seeds)), squeezeDims=[0, -1])
    return case(name, [x, ints(1)], [y._replace(shape=(x.shape[0], 1, *x.shape[1:]))], data(x, draw(seeds)))


@st.composite
def flattened(draw: st.DrawFn) -> Case:
    """To a shape that follows from the input's: SHAPE, STRIDED_SLICE and PACK, as in Keras's Flatten. All of it is
    known before anything runs, and an output as well."""
    x = Part(draw(shapes(least=2)), draw(kinds(*EVERY)))
    model = Model()
    source = model.input(x.shape, x.scale or 0.5, dtype=x.dtype)
    sizes = model.tensor((len(x.shape),), dtype="int32")
    model.add("SHAPE", [source], [sizes], outType=2)
    first, rest, flat = model.tensor((), dtype="int32"), model.tensor((), dtype="int32"), math.prod(x.shape[1:])
    for number, target in enumerate((first, rest)):
        places = [model.tensor((1,), values=[value], dtype="int32") for value in (number, number + 1, 1)]
        model.add("STRIDED_SLICE", [sizes, *places], [target], shrinkAxisMask=1)
    both = model.tensor((2,), dtype="int32")
    model.add("PACK", [first, model.tensor((), values=[flat], dtype="int32")], [both], valuesCount=2)
    target = model.tensor((x.shape[0], flat), x.scale or 0.5, dtype=x.dtype)
    model.add("RESHAPE", [source, both], [target])
    return Case(f"{x.shape} {x.dtype}", model.build(target, sizes, rest, both), data(x, draw(seeds)))


ROWS = [
    Row("RESHAPE", "to_what_follows_from_shapes", flattened(), count=15),
    Row("RESHAPE", "any_shape", reshapes(), count=20),
    Row("SQUEEZE", "any_dimensions", squeezes(), count=20),
    Row("EXPAND_DIMS", "any_place", expansions(), count=20),
    *(Row(name, "any_type", any_type(name), count=20) for name in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")),
]


def _expand(axis: Part, output: Shape, kind: str = "int8") -> bytes:
    return one("EXPAND_DIMS", [Part((2, 3), kind), axis], [Part(output, kind)])


REFUSALS = [
    Refusal("RESHAPE", reshaped("RESHAPE", (2, 3), (2, 2)), "cannot make"),
    Refusal("RESHAPE", one("RESHAPE", [Part((2,), "int8")], [Part((2,), "int16")]), "is int16"),
    Refusal("SQUEEZE", reshaped("SQUEEZE", (2, 1, 3), (2, 2)), "cannot make"),
    Refusal("SQUEEZE", one("SQUEEZE", [Part((2, 1), "int8")], [Part((2,), "int16")]), "is int16"),
    Refusal("EXPAND_DIMS", _expand(ints(1), (2, 1, 2)), "cannot make"),
    Refusal("EXPAND_DIMS", _expand(ints(0), (2, 1, 3)), "does not follow"),
    Refusal("EXPAND_DIMS", _expand(ints(3), (2, 3, 1)), "axis 3 does not exist"),
    Refusal("EXPAND_DIMS", _expand(ints(0, 1), (1, 2, 3)), "one axis"),
    Refusal("EXPAND_DIMS", _expand(index((1,)), (1, 2, 3)), "must be a constant"),
    Refusal("EXPAND_DIMS", _expand(ints(0), (1, 2, 3), "int32"), "is int32"),
]
