# SPDX-License-Identifier: Apache-2.0
"""What is no sum over weights, for every operand: pairs of bytes, averages, softmax."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyproof.core.reference.interpreter import compute, constant
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.prove.layers import clamp_of, taps_of
from tinyproof.prove.sweeps import Bytes, Sweeps
from tinyproof.prove.symbolic import ADDED, AVERAGED, MULTIPLIED, Integers, StepForms
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN, Verdict

PAIRS = ("ADD", "SUB", "MUL")


def prove_pairs(forms: StepForms, graph: Graph, operator: Operator, offsets: dict[int, int], sweeps: Sweeps) -> Verdict:
    """ADD, SUB and MUL: which two bytes each output takes, then every pair of bytes."""
    tail, name = (MULTIPLIED, "mul") if operator.name == "MUL" else (ADDED, "add")
    if not (forms.tails == tail).all() or len(set(map(tuple, forms.parameters.tolist()))) != 1:
        return Verdict(UNPROVEN, "not every output is one function of two bytes")
    y = graph.tensors[operator.outputs[0]]
    operands = [_cells(graph.tensors[index], y.shape, offsets) for index in operator.inputs[:2]]
    places, values = forms.places.reshape(-1, 2), forms.coefficients.reshape(-1, 2)
    got = [(places[:, side], values[:, side]) for side in (0, 1)]
    right = sweeps.pairs(name, tuple(forms.parameters[0].tolist()))
    for exchanged in (False, True):
        order = operands[::-1] if exchanged else operands
        if all(np.array_equal(g[0], o[0]) and np.array_equal(g[1], o[1]) for g, o in zip(got, order, strict=True)):
            table = right.T if exchanged else right
            break
    else:
        return Verdict(REFUTED, "an output takes other bytes than the model's operator")
    wrong = int((table != _pair_table(graph, operator)).sum())
    if wrong:
        return Verdict(REFUTED, f"{wrong:,} of 65,536 pairs of bytes become another than TFLite Micro's")
    return Verdict(PROVEN, "65,536 pairs")


def _cells(tensor: Tensor, shape: tuple[int, ...], offsets: dict[int, int]) -> tuple[Integers, Integers]:
    """What a record says of an operand: the byte's place and 1; of a constant -1 and its value."""
    if tensor.data is None:
        own = offsets[tensor.index] + np.arange(tensor.elements).reshape(tensor.shape)
        return np.broadcast_to(own, shape).reshape(-1), np.ones(int(np.prod(shape)), np.int64)
    return np.full(int(np.prod(shape)), -1), np.broadcast_to(constant(tensor), shape).reshape(-1)


def _pair_table(graph: Graph, operator: Operator) -> Integers:
    """[256, 256]: TFLite Micro's answers, from the golden reference."""
    every = np.arange(-128, 128).astype(np.int8).tobytes()
    ends = [graph.tensors[index] for index in (*operator.inputs[:2], operator.outputs[0])]
    forms = (((256, 1), every), ((1, 256), every), ((256, 256), None))
    tensors = [replace(tensor, shape=shape, data=data) for tensor, (shape, data) in zip(ends, forms, strict=True)]
    alone = replace(graph, tensors=tuple(tensors)), replace(operator, inputs=(0, 1), outputs=(2,))
    return np.frombuffer(compute(*alone)[0], np.int8).reshape(256, 256).astype(np.int64)


def prove_average(
    forms: StepForms, graph: Graph, operator: Operator, offsets: dict[int, int], sweeps: Sweeps
) -> Verdict:
    """AVERAGE_POOL_2D: each output is the sum of its window, then every sum that a window of so many bytes can have."""
    if not (forms.tails == AVERAGED).all():
        return Verdict(UNPROVEN, "not every output is an average")
    x, y = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    windows = _windows(operator, x, y)
    counts = np.diff(forms.starts)
    wanted = np.array([len(window) for window in windows])
    if not np.array_equal(counts, wanted) or forms.constants.any() or not (forms.coefficients == 1).all():
        return Verdict(REFUTED, "a window sums up other elements than the model's")
    if not np.array_equal(forms.places, offsets[x.index] + np.concatenate(windows)):
        return Verdict(REFUTED, "a window sums up other elements than the model's")
    if not np.array_equal(forms.parameters[:, 0], counts):
        return Verdict(REFUTED, "a window's sum is divided by another count")
    sums = 0
    keys = {(tuple(p), tuple(c)) for p, c in zip(forms.parameters[:, :3].tolist(), forms.clamps.tolist(), strict=True)}
    for parameters, clamp in keys:
        table = sweeps.average(parameters, clamp)
        wrong = int((table != _averages(parameters[0], clamp_of(operator, y))).sum())
        if wrong:
            return Verdict(REFUTED, f"{wrong:,} sums of {parameters[0]} elements have another average")
        sums += len(table)
    return Verdict(PROVEN, f"{sums:,} sums of windows")


def _averages(count: int, clamp: tuple[int, int]) -> Bytes:
    """reference/integer_ops/pooling.h: half the count is added away from zero, then C's division."""
    sums = np.arange(-128 * count, 127 * count + 1)
    quotients = (np.abs(sums) + count // 2) // count
    return np.clip(np.where(sums > 0, quotients, -quotients), *clamp).astype(np.int8)


def _windows(operator: Operator, x: Tensor, y: Tensor) -> list[Integers]:
    """The bytes under each output, in the order of the output's tensor, each list in that of addresses."""
    extents = operator.options["filter_height"], operator.options["filter_width"]
    taps = taps_of(operator, x, y, extents)
    return [window[window >= 0] + channel for window in taps for channel in range(x.shape[3])]
