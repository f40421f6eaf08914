# SPDX-License-Identifier: Apache-2.0
"""The same bytes under another shape, between two kernels: cases for the tests of RESHAPE, SQUEEZE and EXPAND_DIMS."""

from __future__ import annotations

import math
from typing import Any

from support.op_cases import Case, edge_inputs
from support.tflite_writer import Model

Shape = tuple[int, ...]


def reshaped(
    name: str,
    shape: Shape,
    result: Shape,
    operand: list[int] | None = None,
    y: tuple[float, int] = (0.5, 3),
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
