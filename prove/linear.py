# SPDX-License-Identifier: Apache-2.0
"""Every linear layer is the model's: the forms that its kernel was seen to compute against the .tflite's weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.prove.layers import LinearLayer, read_layer
from tinyproof.prove.sweeps import intervals
from tinyproof.prove.symbolic import REQUANTIZED, RESCALED_PAIR, Integers, StepForms
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN, OperatorProof, Rescaling, Verdict

LINEAR_TAILS = (RESCALED_PAIR, REQUANTIZED)


def output_cells(forms: StepForms, offset: int, count: int) -> slice | None:
    """Which of the forms are those of a tensor; None where the step leaves one of its bytes as it was."""
    first = int(np.searchsorted(forms.addresses, offset))
    cells = slice(first, first + count)
    found = forms.addresses[cells]
    return cells if len(found) == count and np.array_equal(found, offset + np.arange(count)) else None


def part_of(forms: StepForms, cells: slice) -> StepForms:
    """The forms of some cells alone."""
    starts = forms.starts[cells.start : cells.stop + 1]
    terms = slice(int(starts[0]), int(starts[-1]))
    return StepForms(
        forms.addresses[cells],
        forms.tails[cells],
        forms.parameters[cells],
        forms.clamps[cells],
        forms.constants[cells],
        starts - starts[0],
        forms.places[terms],
        forms.coefficients[terms],
    )


def judge_linear(
    found: OperatorProof, forms: StepForms, graph: Graph, operator: Operator, offsets: dict[int, int]
) -> bool:
    """Sets `linear` of a linear layer, and where its sums are known `rescalings`, of which sweep() goes on to judge
    `requantization`. `forms`: of the output's bytes. False where it is no such layer: nothing is set."""
    layer = read_layer(graph, operator)
    if layer is None:
        return False
    found.linear = compare_layer(forms, layer, offsets[operator.inputs[0]])
    found.requantization = Verdict(UNPROVEN, "its sums are not known")
    if found.linear.status != UNPROVEN:
        found.rescalings = find_rescalings(forms, layer)
    return True


def compare_layer(forms: StepForms, layer: LinearLayer, x_offset: int) -> Verdict:
    """`forms`: of the output's bytes. A channel whose factor is 0 in the .tflite may have any form: what it becomes is
    the sweep's to judge. So is what one rounding adds to a sum."""
    if not np.isin(forms.tails, LINEAR_TAILS).all():
        return Verdict(UNPROVEN, "not every output is a rescaled sum")
    alive = np.array([rescaling[0] != 0 for rescaling in layer.rescalings])[layer.channels]
    inside = layer.places >= 0
    wrong = (_added(forms, layer) != 0) & alive & ~_rounds_once(forms)
    kept = inside & (layer.weights != 0)
    counts = kept.sum(axis=1)
    found = np.diff(forms.starts)
    wrong |= (found != counts) & alive
    if not wrong.any():
        same = np.repeat(alive, found)
        mine = kept & alive[:, None]
        row_of = np.repeat(np.arange(len(found)), found)[same]
        terms = forms.places[same] != x_offset + layer.places[mine]
        terms |= forms.coefficients[same] != layer.weights[mine]
        wrong[row_of[terms]] = True
    if not wrong.any():
        return Verdict(PROVEN, f"{int(found.sum()):,} products of {len(found):,} outputs")
    output = int(np.argmax(wrong))
    words = f"output {output} (channel {int(layer.channels[output])}) sums up other products than the model's layer"
    return Verdict(REFUTED, words)


def _added(forms: StepForms, layer: LinearLayer) -> Integers:
    """What is in the constants of the forms, beyond the model's bias with the zero point in it."""
    inside = layer.places >= 0
    bias: Integers = layer.biases - layer.zero_point * np.where(inside, layer.weights, 0).sum(axis=1)
    return forms.constants - bias


def _rounds_once(forms: StepForms) -> npt.NDArray[np.bool_]:
    """rounds_once of kernels/pairs.h."""
    once: npt.NDArray[np.bool_] = (forms.tails == RESCALED_PAIR) & (forms.parameters[:, 0] >= 0)
    return once


def find_rescalings(forms: StepForms, layer: LinearLayer) -> dict[Rescaling, tuple[int, int]]:
    """What follows the sums, each with the lowest and the highest sum of the model that goes through it. The last
    parameter of a pair's is what one rounding adds to that sum before."""
    moved = np.where(_rounds_once(forms), _added(forms, layer), 0)
    low, high = intervals(forms.starts, forms.coefficients, forms.constants - moved)
    parameters = forms.parameters[:, :4].copy()
    parameters[:, 3] += moved
    numbers = np.concatenate([forms.tails[:, None], parameters, forms.clamps, layer.channels[:, None]], axis=1)
    found: dict[Rescaling, tuple[int, int]] = {}
    for row, below, above in _grouped(numbers, low, high):
        key = Rescaling(row[0], row[1:5], (row[5], row[6]), layer.rescalings[row[7]])
        before = found.get(key, (below, above))
        found[key] = min(before[0], below), max(before[1], above)
    return found


def _grouped(numbers: Integers, low: Integers, high: Integers) -> Iterator[tuple[tuple[int, ...], int, int]]:
    rows, places = np.unique(numbers, axis=0, return_inverse=True)
    places = places.reshape(-1)
    below = np.full(len(rows), np.iinfo(np.int64).max)
    above = np.full(len(rows), np.iinfo(np.int64).min)
    np.minimum.at(below, places, low)
    np.maximum.at(above, places, high)
    for row, least, most in zip(rows.tolist(), below.tolist(), above.tolist(), strict=True):
        yield tuple(row), least, most
