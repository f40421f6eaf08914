# SPDX-License-Identifier: Apache-2.0
"""The network of any model: its operators in their order, what each costs, and a picture whose bars are that cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from tinyproof.core.tflite.arithmetic import real_limits
from tinyproof.core.tflite.ends import QUANTIZED
from tinyproof.core.tflite.graph import KEEPING, Graph, Operator, Tensor
from tinyproof.report.build_data import BoardResult
from tinyproof.report.layer_names import layer_name
from tinyproof.report.size_charts import unit_of
from tinyproof.report.weights import constants_of

WIDTH, ROW, LEFT = 460, 40, 36
SHOWN = 120  # operators in the picture; the table has them all
DECLARATIONS = ("CALL_ONCE", "VAR_HANDLE")  # say what state there is, and compute nothing
KEEPERS = ("READ_VARIABLE", "ASSIGN_VARIABLE", *KEEPING)
BINS = 24  # of a histogram of weights


@dataclass(frozen=True)
class NetworkRow:
    """One operator. `cost` in Network.unit, None where nobody knows it; `sources`: the operators that it reads.

    `reached`: how far the float model's output went on the profile's samples, in real values.

    `weights`: how many stored values fall into each of BINS equal parts of their type's range, [] where there are none.
    """

    index: int
    name: str
    layer: str
    shape: str
    dtype: str
    scale: float | None
    zero_point: int | None
    weight_bytes: int
    weights: list[int]
    keeps_state: bool
    sources: list[int]
    cost: int | None
    share: float
    sqnr_db: float | None
    noise_added: float | None
    reached: tuple[float, float] | None

    @property
    def limits(self) -> tuple[float, float] | None:
        """Lowest and highest real value that its output can stand for, where that is quantized."""
        if self.scale is None or self.zero_point is None or self.dtype not in QUANTIZED:
            return None
        return real_limits(self.dtype, self.scale, self.zero_point)

    @property
    def range_used(self) -> float | None:
        """Share of what its output can hold that the float model reached; more than 1 where that does not fit."""
        if self.limits is None or self.reached is None:
            return None
        return (self.reached[1] - self.reached[0]) / (self.limits[1] - self.limits[0])


@dataclass(frozen=True)
class Network:
    """`unit` of the costs; `board` on which they were measured, "" where they are counted from the shapes. `samples`:
    on which the noise and the float model's ranges were measured."""

    rows: list[NetworkRow]
    unit: str
    board: str
    samples: str = ""

    @property
    def costliest(self) -> NetworkRow | None:
        """Where most of an inference goes."""
        known = [row for row in self.rows if row.cost]
        return max(known, key=lambda row: row.cost or 0) if known else None

    @property
    def noisiest(self) -> NetworkRow | None:
        """The operator that adds most quantization noise, where a profile has measured it."""
        known = [row for row in self.rows if row.noise_added is not None]
        return max(known, key=lambda row: row.noise_added or 0.0) if known else None


def network_of(graph: Graph, boards: list[BoardResult]) -> Network:
    """Costs are those that the first profiled board measured, otherwise multiply-accumulates by the layers' shapes."""
    profiled = next((board for board in boards if board.profile.get("operators")), None)
    measured = {entry["index"]: entry for entry in profiled.profile["operators"]} if profiled else {}
    noise = {
        entry["index"]: entry
        for board in boards
        for entry in board.profile.get("operators", [])
        if entry.get("sqnr_db") is not None
    }
    unit = unit_of(profiled.profile["tick_unit"]) if profiled else "multiplications"
    costs = {
        op.index: (measured.get(op.index, {}).get("ticks") if profiled else multiplications(graph, op))
        for op in graph.operators
    }
    total = sum(cost or 0 for cost in costs.values()) or 1
    makers = {index: op.index for op in graph.operators if op.name not in DECLARATIONS for index in op.outputs}
    rows = []
    for op in graph.operators:
        output = graph.tensors[op.outputs[0]] if op.outputs else None
        stored = [tensor for tensor in constants_of(graph, op) if tensor.scales]
        cost = costs[op.index]
        rows.append(
            NetworkRow(
                index=op.index,
                name=op.name,
                layer=layer_name(output.name) if output else "",
                shape=" × ".join(map(str, output.shape)) if output else "",
                dtype=output.dtype if output else "",
                scale=output.scales[0] if output and output.scales else None,
                zero_point=output.zero_points[0] if output and output.zero_points else None,
                weight_bytes=sum(len(tensor.data or b"") for tensor in stored),
                weights=weight_histogram(stored),
                keeps_state=op.name in KEEPERS
                or any(graph.tensors[index].is_state for index in (*op.inputs, *op.outputs) if index >= 0),
                sources=sorted({makers[index] for index in op.inputs if index in makers}),
                cost=cost,
                share=(cost or 0) / total,
                sqnr_db=noise.get(op.index, {}).get("sqnr_db"),
                noise_added=noise.get(op.index, {}).get("noise_added"),
                reached=_reached(noise.get(op.index, {})),
            )
        )
    samples = next((str(board.profile["noise_samples"]) for board in boards if board.profile.get("noise_samples")), "")
    return Network(rows, unit, profiled.name if profiled else "", samples)


def _reached(entry: dict[str, Any]) -> tuple[float, float] | None:
    """None, too, in a profile of an earlier release."""
    low, high = entry.get("float_low"), entry.get("float_high")
    return None if low is None or high is None else (low, high)


def multiplications(graph: Graph, op: Operator) -> int | None:
    """Multiply-accumulates of a layer with weights, from its shapes; None for other operators."""
    if len(op.inputs) < 2 or not op.outputs or op.inputs[1] < 0:
        return None
    weights, output = graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
    if op.name == "CONV_2D":
        return output.elements * math.prod(weights.shape[1:])
    if op.name == "DEPTHWISE_CONV_2D":
        return output.elements * math.prod(weights.shape[1:3])
    if op.name == "FULLY_CONNECTED":
        return output.elements * weights.shape[-1]
    return None


def weight_histogram(constants: list[Tensor]) -> list[int]:
    """Of all int8 weights among `constants`, -128 to 127 in BINS parts."""
    values = [np.frombuffer(tensor.data, np.int8) for tensor in constants if tensor.dtype == "int8" and tensor.data]
    if not values:
        return []
    counts, _ = np.histogram(np.concatenate(values), BINS, (-128, 128))
    return [int(count) for count in counts]


def draw_network(network: Network) -> str:
    """One <svg>: a row for each operator, a bar as wide as its cost, an arc where a result skips operators. Each row
    leads to what is said of its operator."""
    rows = [row for row in network.rows if row.name not in DECLARATIONS][:SHOWN]
    place = {row.index: number for number, row in enumerate(rows)}
    most = max((row.share for row in rows), default=0) or 1
    body = [
        f'<svg viewBox="0 0 {WIDTH} {ROW * len(rows) + 4}" role="group" aria-labelledby="network-alt" '
        f'id="svg-network" class="network"><title id="network-alt">{len(network.rows)} operators in the order in which '
        f"they run; bars are their share of the {escape(network.unit)}.</title>"
    ]
    for row in rows:
        for source in row.sources:
            if source in place and place[row.index] - place[source] > 1:
                start, end = place[source] * ROW + 14, place[row.index] * ROW + 12
                reach = max(2.0, LEFT - 10 - 3.0 * (place[row.index] - place[source]))
                path = f"M{LEFT - 6} {start}H{reach:.0f}V{end}H{LEFT - 6}"
                body.append(f'<path class="line faint" stroke-width="1.6" d="{path}"/>')
    for number, row in enumerate(rows):
        y = number * ROW
        width = max(1.5, (WIDTH - LEFT - 74) * row.share / most) if row.cost else 0
        role = "target" if row.keeps_state else "model" if row.weight_bytes else "faint"
        cost = "" if not row.cost else f"{100 * row.share:.3g} %"
        words = f"{row.index} {row.name}, output {row.shape} {row.dtype}"
        words += "" if row.cost is None else f", {row.cost:,} {network.unit}"
        words += "" if row.sqnr_db is None else f", SQNR {row.sqnr_db:.1f} dB"
        body.append(
            f'<a href="#op-{row.index}"><title>{escape(words)}</title>'
            f'<rect class="hit" x="{LEFT - 4}" y="{y + 1}" width="{WIDTH - LEFT + 2}" height="{ROW - 2}"/>'
            f'<text class="label" x="{LEFT}" y="{y + 16}">{row.index} {escape(row.name[:22])}</text>'
            f'<text x="{WIDTH - 4}" y="{y + 16}" text-anchor="end">{escape(row.shape)}</text>'
            f'<rect class="fill {role}" x="{LEFT}" y="{y + 23}" width="{width:.1f}" height="10"/>'
            f'<text x="{LEFT + width + 6:.1f}" y="{y + 33}">{cost}</text></a>'
        )
    return "\n".join([*body, "</svg>"])


def draw_histogram(counts: list[int]) -> str:
    """Bars over the range of int8, without axes: the summary says what it is."""
    most, width = max(counts) or 1, 240
    step = width / len(counts)
    bars = "".join(
        f"M{number * step + 1:.1f} 50V{50 - 46 * count / most:.1f}h{step - 2:.1f}V50Z"
        for number, count in enumerate(counts)
        if count
    )
    return (
        f'<svg viewBox="0 0 {width} 68" role="presentation" class="small"><path class="fill model" d="{bars}"/>'
        f'<text x="0" y="65">−128</text><text x="{width / 2}" y="65" text-anchor="middle">0</text>'
        f'<text x="{width}" y="65" text-anchor="end">127</text></svg>'
    )
