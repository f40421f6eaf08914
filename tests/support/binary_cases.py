# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB and MUL on two computed operands, constants and broadcasts: cases for the tests of each."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import ACTIVATIONS, scales, seeds, zero_points
from support.tflite_writer import Model

Quantization = tuple[float, int]


@st.composite
def quantizations(draw: st.DrawFn) -> Quantization:
    return draw(scales(1e-2, 1.0)), draw(zero_points)


def finish(
    model: Model, name: str, operands: list[int], shape: tuple[int, ...], y: Quantization, activation: int
) -> bytes:
    target = model.tensor(shape, *y)
    model.add(name, operands, [target], fusedActivationFunction=activation)
    return model.build(target)


@st.composite
def computed(draw: st.DrawFn, name: str) -> Case:
    """Two operands of one shape, computed: halves of the input, the second one requantized."""
    count = draw(st.integers(1, 40))
    x, x2, y = draw(quantizations()), draw(quantizations()), draw(quantizations())
    model = Model()
    source = model.input((1, 2 * count), *x)
    axis = model.tensor((1,), values=[1], dtype="int32")
    halves = [model.tensor((1, count), *x) for _ in range(2)]
    model.add("SPLIT", [axis, source], halves, numSplits=2)
    second = model.tensor((1, count), *x2)
    model.add("QUANTIZE", [halves[1]], [second])
    operands = [halves[0], second] if draw(st.booleans()) else [second, halves[0]]
    activation = draw(st.sampled_from(ACTIVATIONS))
    tflite = finish(model, name, operands, (1, count), y, activation)
    return Case(f"{name} {count}: {x} {x2} -> {y} act {activation}", tflite, edge_inputs(2 * count, draw(seeds)))


@st.composite
def with_constant(draw: st.DrawFn, name: str) -> Case:
    """A computed operand and a constant, of any two shapes that broadcast to each other."""
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    shapes = []
    for _ in range(2):
        ones = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
        cut = [1 if one else size for one, size in zip(ones, shape, strict=True)]
        shapes.append(tuple(cut[draw(st.integers(0, len(shape) - 1)) :]) if cut[0] == 1 else tuple(cut))
    if all(math.prod(s) == math.prod(shape) for s in shapes) or draw(st.booleans()):
        shapes[0] = shape
    result = tuple(
        max(s[i + len(s) - len(shape)] if i + len(s) >= len(shape) else 1 for s in shapes) for i in range(len(shape))
    )
    rank = max(map(len, shapes))
    result = result[len(result) - rank :]
    x, x2, y = draw(quantizations()), draw(quantizations()), draw(quantizations())
    model = Model()
    source = model.input(shapes[0], *x)
    values = [((draw(seeds) >> i) * 37 + 11 * i) % 256 - 128 for i in range(math.prod(shapes[1]))]
    constant = model.tensor(shapes[1], *x2, values=values)
    operands = [source, constant] if draw(st.booleans()) else [constant, source]
    activation = draw(st.sampled_from(ACTIVATIONS))
    tflite = finish(model, name, operands, result, y, activation)
    label = f"{name} {shapes[0]} {shapes[1]} order {operands}: {x} {x2} -> {y} act {activation}"
    return Case(label, tflite, edge_inputs(math.prod(shapes[0]), draw(seeds)))


@st.composite
def broadcast(draw: st.DrawFn, name: str) -> Case:
    """Both computed, one broadcast: the whole input against one of its parts."""
    part = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    times = draw(st.integers(1, 5))
    x, x2, y = draw(quantizations()), draw(quantizations()), draw(quantizations())
    model = Model()
    source = model.input((times, *part), *x)
    axis = model.tensor((1,), values=[0], dtype="int32")
    parts = [model.tensor((1, *part), *x) for _ in range(times)]
    model.add("SPLIT", [axis, source], parts, numSplits=times)
    small = model.tensor((1, *part), *x2)
    model.add("QUANTIZE", [parts[-1]], [small])
    operands = [source, small] if draw(st.booleans()) else [small, source]
    tflite = finish(model, name, operands, (times, *part), y, 0)
    return Case(f"{name} {times} x {part}: {x} {x2} -> {y}", tflite, edge_inputs(times * math.prod(part), draw(seeds)))


@st.composite
def far_apart(draw: st.DrawFn, name: str) -> Case:
    """Scales so different that one operand or the whole answer vanishes, or saturates."""
    exponents = [draw(st.integers(-12, 3)) for _ in range(3)]
    x, x2, y = ((2.0**e * 1.1, draw(zero_points)) for e in exponents)
    if name != "MUL" and 2 * max(x[0], x2[0]) / y[0] > 2**19:
        y = (max(x[0], x2[0]), y[1])
    model = Model()
    source = model.input((1, 64), *x)
    constant = model.tensor((1, 64), *x2, values=[(i * 29) % 256 - 128 for i in range(64)])
    tflite = finish(model, name, [source, constant], (1, 64), y, 0)
    return Case(f"{name} {x} {x2} -> {y}", tflite, edge_inputs(64, draw(seeds)))


def with_ones(
    name: str,
    shapes: tuple[tuple[int, ...], ...],
    x: Quantization = (0.5, 0),
    y: Quantization = (0.5, 0),
    dtype: str = "int8",
    activation: int = 0,
) -> bytes:
    """An input of shapes[0] and a constant of shapes[1], both quantized like `x`; the output has shapes[2]."""
    model = Model()
    source = model.input(shapes[0], *x)
    other = model.tensor(shapes[1], *x, values=[1] * math.prod(shapes[1]), dtype=dtype)
    return finish(model, name, [source, other], shapes[2], y, activation)
