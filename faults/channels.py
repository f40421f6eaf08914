# SPDX-License-Identifier: Apache-2.0
"""Faults in whole channels: two exchanged, one that computes nothing, and one that the exporter leaves out wrongly.

They are planted into the graph's constants, and the exporter makes the tables of them: what differs then is the fault.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tinyproof.core.errors import TinyproofError
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Tensor
from tinyproof.export.lowering import Program, lower
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.stripes import Stripes
from tinyproof.faults.bits import layer_name
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.native.engine import ByteChange, packed
from tinyproof.faults.native.source import Region

# Along which dimension of the weights the output's channels lie.
AXES = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0}

Array = npt.NDArray[np.int64]
Edit = Callable[[Array], Array]  # of numbers that lie along the first dimension by channel


def channel_faults(
    program: Program, regions: Sequence[Region], count: int, source: random.Random, *, mve: bool = False
) -> list[EngineFault]:
    """Up to `count`, half of them swaps; layers in turns. `mve`: in the forms for cores with MVE."""
    layers = [n for n, op in enumerate(program.ops) if op.operator.name in AXES and not isinstance(op, Stripes)]
    found: dict[str, EngineFault] = {}
    for round_ in range(4 * count if layers else 0):
        if len(found) == count:
            break
        number = layers[round_ % len(layers)]
        op = program.ops[number]
        width = _width(op)
        first = source.randrange(width)
        second = source.randrange(width)
        if round_ // len(layers) % 2:
            words = f"channel {first} computes nothing"
            other = edited(op, _zeroed(first))
        else:
            words = f"channels {min(first, second)} and {max(first, second)} swapped"
            other = edited(op, _swapped(first, second)) if first != second else None
        changes = None if other is None else _differences(op, other, number, regions, mve=mve)
        if changes:
            fault = EngineFault("channels", number, layer_name(program, number), words, changes)
            found[str(fault)] = fault
    return list(found.values())


def _width(op: Op) -> int:
    return op.graph.tensors[op.operator.inputs[1]].shape[AXES[op.operator.name]]


def _swapped(first: int, second: int) -> Edit:
    def edit(rows: Array) -> Array:
        rows = rows.copy()
        rows[[first, second]] = rows[[second, first]]
        return rows

    return edit


def _zeroed(channel: int) -> Edit:
    def edit(rows: Array) -> Array:
        rows = rows.copy()
        rows[channel] = 0
        return rows

    return edit


def edited(op: Op, edit: Edit) -> Op | None:
    """The operator with other weights and biases; None where its constants are of a form that is not edited."""
    graph = edited_graph(op.graph, op, edit)
    if graph is None:
        return None
    try:
        return type(op)(graph, op.operator)
    except TinyproofError:  # the exporter refuses what it has become
        return None


def edited_graph(graph: Graph, op: Op, edit: Edit, *, bias_too: bool = True) -> Graph | None:
    """`graph` with the constants of an operator changed by channel; scales move along where channels do."""
    weights = graph.tensors[op.operator.inputs[1]]
    if weights.dtype != "int8" or weights.data is None:
        return None
    tensors = list(graph.tensors)
    axis = AXES[op.operator.name]
    values = np.frombuffer(weights.data, np.int8).astype(np.int64).reshape(weights.shape)
    changed = np.moveaxis(edit(np.moveaxis(values, axis, 0)), 0, axis).astype(np.int8)
    tensors[weights.index] = dataclasses.replace(weights, data=changed.tobytes(), scales=_scales(weights, edit))
    bias = op.operator.inputs[2] if len(op.operator.inputs) > 2 else -1
    if bias_too and bias != -1 and (data := graph.tensors[bias].data) is not None:
        kind = np.dtype("<" + DTYPES[graph.tensors[bias].dtype].letter)
        numbers = edit(np.frombuffer(data, kind).astype(np.int64)).astype(kind)
        scales = _scales(graph.tensors[bias], edit)
        tensors[bias] = dataclasses.replace(graph.tensors[bias], data=numbers.tobytes(), scales=scales)
    return dataclasses.replace(graph, tensors=tuple(tensors))


def _scales(tensor: Tensor, edit: Edit) -> tuple[float, ...]:
    if len(tensor.scales) < 2:
        return tensor.scales
    order = edit(np.arange(1, len(tensor.scales) + 1))
    return tuple(
        scale if place == 0 else tensor.scales[place - 1] for scale, place in zip(tensor.scales, order, strict=True)
    )


def _differences(
    op: Op, other: Op, number: int, regions: Sequence[Region], *, mve: bool
) -> tuple[ByteChange, ...] | None:
    """What of the operator's tables differs, None where one has another size, or a parameter changes."""
    if op.kernel != other.kernel or op.parameters("") != other.parameters(""):
        return None
    tables: Iterable[Constant] = other.constants()
    if mve and (form := op.mve) and (changed := other.mve):
        if form.kernel != changed.kernel or form.members != changed.members:
            return None
        tables = changed.constants
    places = {region.name: place for place, region in enumerate(regions)}
    changes: list[ByteChange] = []
    for table in tables:
        place = places.get(f"op{number}_{table.suffix}")
        content = packed(table.values, table.ctype)
        if place is None or len(content) != len(regions[place].content):
            return None
        changes += _runs(place, regions[place].content, content)
    return tuple(changes)


def _runs(region: int, old: bytes, new: bytes) -> Iterator[ByteChange]:
    """Stretches that differ."""
    places = np.flatnonzero(np.frombuffer(old, np.uint8) != np.frombuffer(new, np.uint8))
    for stretch in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
        if stretch.size:
            yield ByteChange(region, int(stretch[0]), new[int(stretch[0]) : int(stretch[-1]) + 1])


def wrongly_removed(graph: Graph, program: Program, count: int, source: random.Random) -> list[tuple[str, Program]]:
    """Programs in which the exporter takes one more channel for constant than there is, and what it is. `graph`: of the
    .tflite, `program` what it becomes."""
    found: dict[str, Program] = {}
    layers = [op for op in program.ops if op.operator.name in AXES and not isinstance(op, Stripes)]
    before = program.removed.left_out if program.removed else 0
    for round_ in range(4 * count if layers else 0):
        if len(found) == count:
            break
        op = layers[round_ % len(layers)]
        if op.operator.inputs[1] >= len(graph.tensors):
            continue
        channel = source.randrange(graph.tensors[op.operator.inputs[1]].shape[AXES[op.operator.name]])
        changed = edited_graph(graph, op, _zeroed(channel), bias_too=False)
        if changed is None:
            continue
        other = lower(changed)
        after = other.removed.left_out if other.removed else 0
        if after > before:
            found[f"operator {op.operator.index} ({op.name}), channel {channel} taken for constant"] = other
    return list(found.items())
