# SPDX-License-Identifier: Apache-2.0
"""UNIDIRECTIONAL_SEQUENCE_LSTM and SVDF: what they remember is in tensors that their file calls variable."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import (
    Array,
    BoundOperator,
    computes,
    each,
    rescale,
    rescale_wide,
    to_type,
    wrap,
)
from tinyproof.core.tflite import lstm, sigmoid_table
from tinyproof.core.tflite.arithmetic import float32
from tinyproof.core.tflite.dtypes import DTYPES


@computes("UNIDIRECTIONAL_SEQUENCE_LSTM")
def unidirectional_sequence_lstm(op: BoundOperator, x: Array, *operands: Array | None) -> Array:
    """Each batch by itself, step after step (micro/kernels/lstm_eval.h)."""
    given = (x, *operands)
    steps = x if op.option("time_major") else x.swapaxes(0, 1)
    hidden, cell = _state(given[lstm.HIDDEN], steps.shape[1]), _state(given[lstm.CELL], steps.shape[1])
    kept, cells = op.place(lstm.HIDDEN), op.place(lstm.CELL)
    assert kept is not None
    assert cells is not None
    factors = lstm.cell_factors(cells.scales[0], kept.scales[0], op.operator.real_options.get("cell_clip", 0.0))
    outputs = []
    for seen in steps:
        gates = []
        for number, name in enumerate(lstm.GATES):
            level = to_type(_level(op, given, number, seen, hidden), "int16")
            gates.append(each(3 * level, sigmoid_table.tanh if name == "cell" else sigmoid_table.sigmoid))
        forget, update, candidate, output = gates
        cell[:] = to_type(rescale(forget * cell, factors.forget), "int16") + to_type(
            rescale(update * candidate, factors.update), "int16"
        )
        cell[:] = to_type(cell, "int16")
        if factors.clip >= 0:
            cell[:] = np.clip(cell, -factors.clip, factors.clip)
        bent = each(cell, lambda level: sigmoid_table.tanh(sigmoid_table.scaled(level, *factors.tanh)))
        hidden[:] = to_type(rescale(bent * output, factors.output) + kept.zero_points[0], kept.dtype)
        outputs.append(hidden.copy())
    answer = np.array(outputs)
    return answer if op.option("time_major") else answer.swapaxes(0, 1)


def _state(value: Array | None, batches: int) -> Array:
    assert value is not None
    return value.reshape(batches, -1)


def _level(op: BoundOperator, given: tuple[Array | None, ...], gate: int, seen: Array, hidden: Array) -> Array:
    """What a gate's function is applied to: both products, each clamped before they are added."""
    bias = given[lstm.BIASES[gate]]
    assert bias is not None
    return _product(op, given, lstm.INPUT_WEIGHTS[gate], 0, seen, bias) + _product(
        op, given, lstm.RECURRENT_WEIGHTS[gate], lstm.HIDDEN, hidden, np.zeros_like(bias)
    )


def _product(
    op: BoundOperator, given: tuple[Array | None, ...], place: int, source: int, values: Array, bias: Array
) -> Array:
    tensor, weight, weights = op.place(source), op.place(place), given[place]
    assert tensor is not None
    assert weight is not None
    assert weights is not None
    sums = (values - tensor.zero_points[0]) @ weights.T + bias
    real = tensor.scales[0] * weight.scales[0] / lstm.GATE_SCALE
    return to_type((rescale if tensor.dtype == "int8" else rescale_wide)(sums, real), "int16")


@computes("SVDF")
def svdf(op: BoundOperator, x: Array, features: Array, times: Array, bias: Array, state: Array) -> Array:
    """A column of new entries enters the state of each filter; sums over time wrap around at 32 bits."""
    kept, weights = op.inputs[4], op.inputs[1:3]
    zero_point = kept.zero_points[0]
    past = state.reshape(-1, *times.shape)
    past[:, :, :-1] = past[:, :, 1:].copy()
    product = op.centred(x) @ features.T
    new = to_type(
        rescale(product, float32(float32(op.x.scales[0] * weights[0].scales[0]) / kept.scales[0])), kept.dtype
    )
    past[:, :, -1] = wrap(new + zero_point, DTYPES[kept.dtype].bits)
    by_filter = ((past - zero_point) * times).sum(axis=2)
    sums = by_filter.reshape(len(past), len(bias), -1).sum(axis=2) + bias
    factor = float32(float32(kept.scales[0] * weights[1].scales[0]) / op.y.scales[0])
    return to_type(rescale(wrap(sums), factor) + op.y.zero_points[0], "int8")
