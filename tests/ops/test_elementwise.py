# SPDX-License-Identifier: Apache-2.0
"""ADD, SUB and MUL: two computed operands, constants and broadcasts, against TFLite Micro."""

from __future__ import annotations

import math

import pytest
from hypothesis import strategies as st
from op_cases import Case, edge_inputs
from op_strategies import ACTIVATIONS, bit_exact, scales, seeds, zero_points
from tflite_builder import Model

from export.lowering import lower
from pipeline.errors import InputFileError
from pipeline.tflite.reader import read_graph

OPTIONS = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}
Quantization = tuple[float, int]


@st.composite
def quantizations(draw: st.DrawFn) -> Quantization:
    return draw(scales(1e-2, 1.0)), draw(zero_points)


def finish(
    model: Model, name: str, operands: list[int], shape: tuple[int, ...], y: Quantization, activation: int
) -> bytes:
    target = model.tensor(shape, *y)
    model.add(name, operands, [target], OPTIONS[name], fusedActivationFunction=activation)
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
    model.add("SPLIT", [axis, source], halves, "SplitOptions", numSplits=2)
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
    model.add("SPLIT", [axis, source], parts, "SplitOptions", numSplits=times)
    small = model.tensor((1, *part), *x2)
    model.add("QUANTIZE", [parts[-1]], [small])
    operands = [source, small] if draw(st.booleans()) else [small, source]
    tflite = finish(model, name, operands, (times, *part), y, 0)
    return Case(f"{name} {times} x {part}: {x} {x2} -> {y}", tflite, edge_inputs(times * math.prod(part), draw(seeds)))


test_add = bit_exact(computed("ADD"))
test_sub = bit_exact(computed("SUB"))
test_mul = bit_exact(computed("MUL"))
test_add_constant = bit_exact(with_constant("ADD"))
test_sub_constant = bit_exact(with_constant("SUB"))
test_mul_constant = bit_exact(with_constant("MUL"))
test_add_broadcast = bit_exact(broadcast("ADD"), programs=1)
test_sub_broadcast = bit_exact(broadcast("SUB"), programs=1)
test_mul_broadcast = bit_exact(broadcast("MUL"), programs=1)


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


test_add_far_apart = bit_exact(far_apart("ADD"), programs=1)
test_sub_far_apart = bit_exact(far_apart("SUB"), programs=1)
test_mul_far_apart = bit_exact(far_apart("MUL"), programs=1)


@st.composite
def chains(draw: st.DrawFn) -> Case:
    """So many that the kernels are shared; each reads the input again."""
    model = Model()
    x = draw(quantizations())
    source = tensor = model.input((3, 5), *x)
    names = [draw(st.sampled_from(sorted(OPTIONS))) for _ in range(12)]
    for name in names:
        tensor, last = model.tensor((3, 5), *draw(quantizations())), tensor
        model.add(name, [last, source], [tensor], OPTIONS[name], fusedActivationFunction=0)
    return Case(f"chain {names}", model.build(tensor), edge_inputs(15, draw(seeds)))


test_chains = bit_exact(chains(), count=12, programs=1)


def refused(
    name: str,
    x: Quantization,
    y: Quantization,
    shapes: tuple[tuple[int, ...], ...],
    dtype: str = "int8",
    activation: int = 0,
) -> str:
    model = Model()
    source = model.input(shapes[0], *x)
    other = model.tensor(shapes[1], *x, values=[1] * math.prod(shapes[1]), dtype=dtype)
    with pytest.raises(InputFileError, match=rf"operator 0 \({name}\)") as caught:
        lower(read_graph(finish(model, name, [source, other], shapes[2], y, activation)))
    return str(caught.value)


def test_refuses_what_tflm_would_not_compute() -> None:
    unit, same = (0.5, 0), ((2, 3), (2, 3), (2, 3))
    assert "cannot broadcast" in refused("ADD", unit, unit, ((2, 3), (2, 2), (2, 3)))
    assert "cannot broadcast" in refused("MUL", unit, unit, ((2, 3), (2, 3), (1, 3)))
    assert "loops" in refused("MUL", unit, unit, ((2, 2, 2, 2, 2), (1, 2, 1, 2, 1), (2, 2, 2, 2, 2)))
    assert "int16; supported is int8" in refused("SUB", unit, unit, same, dtype="int16")
    assert "fused activation TANH" in refused("ADD", unit, unit, same, activation=4)
    assert "too far apart" in refused("ADD", (1000.0, 0), (1e-3, 0), same)
    assert "too far apart" in refused("SUB", (3e38, 0), (1.0, 0), same)
    assert "rescales" in refused("MUL", (1e4, 0), (1e-3, 0), same)


def test_output_takes_the_place_of_an_operand() -> None:
    model = Model()
    source = model.input((1, 100), 0.5)
    constant = model.tensor((1, 1), 0.5, values=[3])
    tflite = finish(model, "ADD", [constant, source], (1, 100), (0.7, 1), 0)
    (op,) = lower(read_graph(tflite)).ops
    assert op.in_place
    assert op.inputs == (source,)
