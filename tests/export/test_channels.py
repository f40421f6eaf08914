# SPDX-License-Identifier: Apache-2.0
"""Channels on which no answer depends are left out: the bits stay, of outputs and of what is left of each tensor."""

from __future__ import annotations

import dataclasses
import random
from functools import partial
from typing import Any

import pytest
from support import op_cases
from support.effort import examples
from support.op_cases import Case, assert_bit_exact, assert_bit_exact_with_dsp_kernels, edge_inputs
from support.tflite_writer import Model

from tinyproof.core.reference.golden import Reference
from tinyproof.core.reference.interpreter import Interpreter
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower

SIDE, CHANNELS = 5, 3
SAME, VALID, RELU = 0, 1, 1
LIVING, DEAD = ("lives",) * 4, ("zero", "value", "held")


class Net:
    """A chain of layers on random weights; a third of the channels is made dead in one way or another, or the same as
    another one, and some layers are as a whole."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.model = Model()
        self.at = self.model.input((1, SIDE, SIDE, CHANNELS), 0.05, self.source.choice((-128, 3)))
        self.shape: tuple[int, ...] = (1, SIDE, SIDE, CHANNELS)

    def row(self, taps: int, kinds: tuple[str, ...]) -> tuple[list[int], int]:
        """Weights and bias: living, constant at the zero point, at another value, or held at the clamp."""
        kind = self.source.choice(kinds)
        if kind in ("zero", "value"):
            return [0] * taps, 0 if kind == "zero" else self.source.randint(-20_000, 20_000)
        weights = [self.source.choice((0, self.source.randint(-127, 127))) for _ in range(taps)]
        return weights, -(10**6) if kind == "held" else self.source.randint(-3000, 3000)

    def sums(self, name: str, units: int, kernel: int, padding: int, kinds: tuple[str, ...] = LIVING + DEAD) -> None:
        """A convolution, or with `kernel` 0 a dense layer on one pixel."""
        depthwise = name == "DEPTHWISE_CONV_2D"
        taps = kernel * kernel * (1 if depthwise else self.shape[-1]) if kernel else self.shape[-1]
        rows = [self.row(taps, kinds) for _ in range(units)]
        scales = [self.source.uniform(0.002, 0.02) for _ in range(units)]
        for unit in range(1, units):
            if self.source.random() < 0.2:
                twin = self.source.randrange(unit)
                rows[unit], scales[unit] = rows[twin], scales[twin]
        flat = [w for weights, _ in rows for w in weights]
        if depthwise:
            flat = [weights[tap] for tap in range(taps) for weights, _ in rows]
        shape = {True: (1, kernel, kernel, units), False: (units, kernel, kernel, self.shape[-1])}[depthwise]
        weights = self.model.tensor(shape if kernel else (units, taps), scales, 0, flat, axis=3 if depthwise else 0)
        bias = self.model.tensor((units,), None, 0, [b for _, b in rows], "int32")
        side = self.shape[1] - (kernel - 1 if padding == VALID else 0) if kernel else 1
        self.shape = (1, side, side, units) if kernel else (1, units)
        y = self.model.tensor(self.shape, 0.08, self.source.choice((-128, -128, -5)))
        options: dict[str, Any] = {"fusedActivationFunction": RELU}
        if kernel:
            options |= {"padding": padding, "strideH": 1, "strideW": 1}
        if depthwise:
            options["depthMultiplier"] = units // self.model.tensors[self.at].shape[-1]
        self.model.add(name, [self.at, weights, bias], [y], **options)
        self.at = y

    def conv(self, units: int, kinds: tuple[str, ...] = LIVING + DEAD) -> None:
        self.sums("CONV_2D", units, self.source.choice((1, 1, 3)), SAME, kinds)

    def depthwise(self) -> None:
        units, padding = self.shape[-1] * self.source.choice((1, 1, 2)), self.source.choice((SAME, VALID))
        self.sums("DEPTHWISE_CONV_2D", units, 3, padding if self.shape[1] >= 3 else SAME)

    def join(self) -> None:
        """Beside itself, or added to what a layer makes of it; that may be a constant."""
        before, quantization = self.at, self.model.tensors[self.at].quantization
        scale, zero = float(quantization.scale[0]), int(quantization.zeroPoint[0])
        if self.source.random() < 0.5:
            self.shape = (*self.shape[:-1], 2 * self.shape[-1])
            y = self.model.tensor(self.shape, scale, zero)
            self.model.add("CONCATENATION", [before, before], [y], axis=3)
        else:
            dies = self.source.random() < 0.4
            self.conv(self.shape[-1], DEAD if dies else LIVING + DEAD)
            if dies:
                self.conv(self.shape[-1])  # of a constant, a constant, though its borders may be another one
            y = self.model.tensor(self.shape, 0.1, self.source.choice((-128, 0)))
            self.model.add("ADD", [before, self.at], [y])
        self.at = y

    def pad(self) -> None:
        pads = [0, 0, 1, 0, 0, 1, self.source.choice((0, 2)), 1]
        quantization = self.model.tensors[self.at].quantization
        self.shape = (1, self.shape[1] + 1, self.shape[2] + 1, self.shape[3] + pads[6] + pads[7])
        y = self.model.tensor(self.shape, float(quantization.scale[0]), int(quantization.zeroPoint[0]))
        self.model.add("PAD", [self.at, self.model.tensor((4, 2), None, 0, pads, "int32")], [y])
        self.at = y

    def build(self) -> bytes:
        self.conv(12)
        for _ in range(3):
            self.source.choice((self.depthwise, self.join, self.pad, lambda: None))()
            self.conv(self.source.choice((7, 12, 16)))
        y = self.model.tensor((1, self.shape[-1]), 0.06, -100)
        axes = self.model.tensor((2,), None, 0, [1, 2], "int32")
        self.model.add("MEAN", [self.at, axes], [y], keepDims=False)
        self.at, self.shape = y, (1, self.shape[-1])
        self.sums("FULLY_CONNECTED", 16, 0, SAME)
        self.sums("FULLY_CONNECTED", 4, 0, SAME)
        return self.model.build(self.at)


def inputs(seed: int) -> tuple[bytes, ...]:
    """Extremes, a ramp, random ones, and one pixel's channel alone at either end."""
    count = SIDE * SIDE * CHANNELS
    lone = []
    for place in range(0, count, 7):
        for rest, value in ((0x80, 0x7F), (0x7F, 0x80)):
            lone.append(bytes([rest] * place + [value] + [rest] * (count - place - 1)))
    return (*edge_inputs(count, seed, extra=12), *lone)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [Case(f"net {seed}", Net(seed).build(), inputs(seed)) for seed in range(examples(5))]


def test_the_bits_are_those_of_the_original_file(cases: list[Case]) -> None:
    removed = [lower(read_graph(case.tflite)).removed for case in cases]
    assert sum(each is not None for each in removed) > len(cases) // 2
    assert any(each is not None and each.unread for each in removed)
    assert any(each is not None and each.twins for each in removed)
    assert any(each is not None and each.constant_operators for each in removed)
    assert_bit_exact(cases)
    assert_bit_exact_with_dsp_kernels(cases)


def test_so_are_they_with_all_channels(cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(op_cases, "lower", partial(lower, keep_dead=True))
    assert_bit_exact(cases[:4])


def left_over(program: Program) -> Interpreter:
    """The Python reference on what is left of the network."""
    return Interpreter(dataclasses.replace(program.graph, operators=tuple(op.operator for op in program.ops)))


def test_what_is_left_of_each_tensor_is_the_originals(cases: list[Case]) -> None:
    compared = 0
    for case in cases[:12]:
        program, reference = lower(read_graph(case.tflite)), Reference(case.tflite, "tflite-micro")
        ours = left_over(program)
        written = [index for op in program.ops for index in op.outputs]
        for x_q in case.inputs[:6]:
            ours.run(x_q)
            whole = reference.trace(x_q, written)
            parts = [program.parts.get(index, TensorPart(index)) for index in written]
            assert ours.tensors(written) == [part.of(tensor) for part, tensor in zip(parts, whole, strict=True)]
        compared += len(program.parts)
    assert compared > 12


def two_convolutions(bias: int) -> bytes:
    """Two channels in between: one lives; of the other the weight is 1 and the bias so low that the RELU holds all of
    its sums, or all but the very last."""
    model = Model()
    x = model.input((1, 2, 2, 1), 1.0, 0)
    y, z = model.tensor((1, 2, 2, 2), 1.0, -128), model.tensor((1, 2, 2, 1), 1.0, 0)
    layers = ((x, y, (2, 1, 1, 1), [1, 1], [0, bias]), (y, z, (1, 1, 1, 2), [1, 1], [0]))
    for source, target, shape, weights, biases in layers:
        w = model.tensor(shape, [0.5] * shape[0], 0, weights)
        b = model.tensor((shape[0],), None, 0, biases, "int32")
        options: dict[str, Any] = {"strideH": 1, "strideW": 1, "fusedActivationFunction": RELU if target == y else 0}
        model.add("CONV_2D", [source, w, b], [target], **options)
    return model.build(z)


def test_a_channel_that_changes_for_one_value_stays() -> None:
    """(127 - 126) / 2 rounds up to 1, and (126 - 126) / 2 to 0, which RELU holds anyhow."""
    alive, dead = lower(read_graph(two_convolutions(-126))), lower(read_graph(two_convolutions(-127)))
    assert alive.removed is None
    assert dead.removed is not None
    assert (dead.removed.constant, dead.removed.channels, dead.removed.weights) == (1, 3, 2)
    steps = [bytes([q]) * 4 for q in range(256)]
    answers = [Reference(two_convolutions(bias), "tflite-micro").run_batch(steps) for bias in (-126, -127)]
    assert [i for i in range(256) if answers[0][i] != answers[1][i]] == [127]
    assert_bit_exact([Case("almost", two_convolutions(-126), tuple(steps))])
    assert_bit_exact([Case("dead", two_convolutions(-127), tuple(steps))])
