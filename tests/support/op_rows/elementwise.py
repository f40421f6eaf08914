# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB and MUL on two computed operands, constants and broadcasts."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import ACTIVATIONS, Quantization, float32, quantizations, seeds, simple_scales, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def finish(model: Model, name: str, operands: list[int], shape: Shape, y: Quantization, activation: int) -> bytes:
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
    if name == "MUL" and x[0] * x2[0] / y[0] >= 2**15:  # is refused
        y = (x[0] * x2[0], y[1])
    model = Model()
    source = model.input((1, 64), *x)
    constant = model.tensor((1, 64), *x2, values=[(i * 29) % 256 - 128 for i in range(64)])
    tflite = finish(model, name, [source, constant], (1, 64), y, 0)
    return Case(f"{name} {x} {x2} -> {y}", tflite, edge_inputs(64, draw(seeds)))


@st.composite
def chains(draw: st.DrawFn) -> Case:
    """So many that the kernels are shared; each reads the input again."""
    model = Model()
    x = draw(quantizations())
    source = tensor = model.input((3, 5), *x)
    names = [draw(st.sampled_from(["ADD", "MUL", "SUB"])) for _ in range(12)]
    for name in names:
        tensor, last = model.tensor((3, 5), *draw(quantizations())), tensor
        model.add(name, [last, source], [tensor], fusedActivationFunction=0)
    return Case(f"chain {names}", model.build(tensor), edge_inputs(15, draw(seeds)))


@st.composite
def ties(draw: st.DrawFn, name: str) -> Case:
    """Scales in simple ratios."""
    x, x2, y = ((scale, draw(zero_points)) for scale in draw(simple_scales(3)))
    if name == "MUL":
        y = (float32(x[0] * x2[0] * draw(st.sampled_from([1 / 3, 2, 6, 7, 8, 100]))), y[1])
    model = Model()
    source = model.input((1, 256), *x)
    constant = model.tensor((1, 256), *x2, values=[(i * 29) % 256 - 128 for i in range(256)])
    tflite = finish(model, name, [source, constant], (1, 256), y, 0)
    return Case(f"{name} {x} {x2} -> {y}", tflite, edge_inputs(256, draw(seeds)))


def with_ones(
    name: str,
    shapes: tuple[Shape, ...],
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


ROWS = [
    *(Row(name, "computed", computed(name)) for name in ("ADD", "SUB", "MUL")),
    *(Row(name, "constant", with_constant(name)) for name in ("ADD", "SUB", "MUL")),
    *(Row(name, "broadcast", broadcast(name), count=25) for name in ("ADD", "SUB", "MUL")),
    *(Row(name, "far_apart", far_apart(name), count=25) for name in ("ADD", "SUB", "MUL")),
    *(Row(name, "ties", ties(name), count=25) for name in ("ADD", "SUB", "MUL")),
    Row("ADD", "chain_with_sub_and_mul", chains(), count=12),
]
SAME = ((2, 3), (2, 3), (2, 3))
REFUSALS = [
    Refusal("ADD", with_ones("ADD", ((2, 3), (2, 2), (2, 3))), "cannot broadcast"),
    Refusal("ADD", with_ones("ADD", ((1, 3), (1, 3), (2, 3))), r"cannot broadcast \[1, 3\] and \[1, 3\] to"),
    Refusal("ADD", with_ones("ADD", SAME, activation=4), "fused activation TANH"),
    Refusal("ADD", with_ones("ADD", SAME, (1000.0, 0), (1e-3, 0)), "too far apart"),
    Refusal("SUB", with_ones("SUB", ((2, 3), (2, 3), (3, 2))), "cannot broadcast"),
    Refusal("SUB", with_ones("SUB", SAME, dtype="int16"), "int16; supported is int8"),
    Refusal("SUB", with_ones("SUB", SAME, (3e38, 0), (1.0, 0)), "too far apart"),
    Refusal("MUL", with_ones("MUL", ((2, 3), (2, 3), (1, 3))), "cannot broadcast"),
    Refusal("MUL", with_ones("MUL", ((2,) * 7, (2,) * 7, (2,) * 7)), "6 dimensions"),
    Refusal("MUL", with_ones("MUL", SAME, (1e4, 0), (1e-3, 0)), "rescales"),
]
