# SPDX-License-Identifier: Apache-2.0
"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 or int16 in and out, int8 weights, a cell of int16."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import (
    INT32_MAX,
    MAX_WIDE_SHIFT,
    fits_32_bits,
    quantize_multiplier,
    reduce_multiplier,
)
from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.core.tflite.lstm import (
    BIASES,
    CELL,
    GATE_SCALE,
    GATES,
    HIDDEN,
    INPUT_WEIGHTS,
    LEFT_OUT,
    OPERANDS,
    RECURRENT_WEIGHTS,
    cell_factors,
)
from tinyproof.core.tflite.sigmoid_table import SIGMOID_TABLE
from tinyproof.export.ops.base import Constant, Op, braces
from tinyproof.export.ops.requantize_encoding import encode, encode_multiplier, encode_shift
from tinyproof.export.ops.simd_packing import ORDER, four_rows
from tinyproof.export.ops.wide_sums import MAX_SUM

GROUP = 4  # elements that a kernel takes at a time
TANH = 4  # of the schema's activations

Factor = tuple[int, int]  # as struct factor has it


class Lstm(Op):
    """Zero points are folded into biases; a gate whose factor rounds to 0 has weights of 0."""

    names = ("UNIDIRECTIONAL_SEQUENCE_LSTM",)
    max_version = 4
    code_bytes = 1500
    kernel = "lstm"
    moves_bytes = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if len(operator.inputs) != OPERANDS or len(operator.outputs) != 1:
            raise self.refuse(
                f"has {len(operator.inputs)} inputs and {len(operator.outputs)} outputs; 24 and 1 are needed"
            )
        if any(self.optional(operator.inputs, place) is not None for place in LEFT_OUT):
            raise self.refuse("peepholes, a projection and layer norm are not supported; TFLite Micro refuses them too")
        if operator.options.get("fused_activation_function", 0) != TANH:
            raise self.refuse("its activation is not tanh, and TFLite Micro has no other: set activation='tanh'")
        self.x = self.activation(operator.inputs, 0, "input", ("int8", "int16"))
        self.y = self.tensor(operator.outputs, 0, "output")
        self.hidden = self.variable(HIDDEN, "hidden state", (self.x.dtype,))
        self.cell = self.variable(CELL, "cell state", ("int16",))
        self.check_type(self.y, "output", (self.x.dtype,))
        self.wide = self.x.dtype == "int16"
        self._read_shapes()
        self.factors = cell_factors(
            self.cell.scales[0], self.hidden.scales[0], operator.real_options.get("cell_clip", 0.0)
        )
        if not self.factors.tanh[0] <= 3 << 14 or self.factors.tanh[1] > 30:
            raise self.refuse(
                f"the cell state's scale {self.cell.scales[0]} is far from 2^-12; it cannot be computed with"
            )
        self.products = [
            self._product_factor(real) for real in (self.factors.forget, self.factors.update, self.factors.output)
        ]
        self.kept = (self.hidden.index, self.cell.index)
        self.inputs, self.outputs = (self.x.index, *self.kept), (self.y.index, *self.kept)
        self._read_gates()

    def _read_shapes(self) -> None:
        x, y, hidden = self.x.shape, self.y.shape, self.hidden.shape
        if len(x) != 3 or len(y) != 3 or len(hidden) < 2 or 0 in (*x, *y):
            raise self.refuse(
                f"input {list(x)}, output {list(y)} and state {list(hidden)} are not [a, b, c], [a, b, d], [n, d]"
            )
        self.units, self.depth = hidden[1], x[2]
        self.major = bool(self.operator.options.get("time_major", 0))
        self.steps, self.batches = x[:2] if self.major else (x[1], x[0])
        sizes = {self.hidden.elements, self.cell.elements, self.batches * self.units}
        if y != (*x[:2], self.units) or len(sizes) != 1:
            raise self.refuse(f"input {list(x)}, output {list(y)} and states of {sorted(sizes)} elements do not fit")

    def _product_factor(self, real: float) -> Factor:
        """Of a product of two int16."""
        multiplier, shift = quantize_multiplier(real) if real < 2.0**30 else (0, 31)
        if shift >= 0:
            raise self.refuse("a product of its gates is rescaled by 1/2 or more; check the scales of its states")
        return encode(multiplier, shift)

    def _read_gates(self) -> None:
        self.rows: list[list[list[int]]] = []  # of input and hidden state, of each gate: weights
        self.bias: list[list[list[int]]] = []
        self.gate_factors: list[list[Factor]] = []
        self.shifts: list[int] = []
        for places, source, biases in ((INPUT_WEIGHTS, self.x, BIASES), (RECURRENT_WEIGHTS, self.hidden, None)):
            rows, sums, factors = [], [], []
            for gate, place in enumerate(places):
                weights, bias, factor = self._gate(place, source, None if biases is None else biases[gate], GATES[gate])
                rows.append(weights)
                sums.append(bias)
                factors.append(factor)
            self.rows.append(rows)
            self.bias.append(sums)
            self.gate_factors.append(factors)

    def _gate(
        self, place: int, source: Tensor, bias_place: int | None, name: str
    ) -> tuple[list[int], list[int], Factor]:
        """One gate's weights, one row after the other, its biases with the zero point in them, and its factor."""
        depth = self.depth if source is self.x else self.units
        weights = self.tensor(self.operator.inputs, place, f"weights of the {name} gate")
        self.check_int8(weights, f"weights of the {name} gate")
        if weights.data is None or weights.shape != (self.units, depth):
            raise self.refuse(f"{weights.label} must be a constant of shape [{self.units}, {depth}]")
        if len(weights.scales) != 1 or weights.zero_points[0] != 0:
            raise self.refuse(f"{weights.label} must have one scale and a zero point of 0: TFLite Micro takes no other")
        values = list(unpack(weights.data, "int8"))
        bias = self._bias(bias_place, name)
        multiplier, shift = quantize_multiplier(source.scales[0] * weights.scales[0] / GATE_SCALE)
        rows = [values[unit * depth : (unit + 1) * depth] for unit in range(self.units)]
        reach = [sum(map(abs, row)) for row in rows]
        low, high = DTYPES[source.dtype].low, DTYPES[source.dtype].high
        zero_point = source.zero_points[0]
        farthest = max(high - zero_point, zero_point - low, -low)
        for unit, size in enumerate(reach):
            bound = abs(bias[unit]) + farthest * size
            self._check_bound(bound, -low * size, multiplier, shift, f"{name} gate of unit {unit}")
        bias = [b - zero_point * sum(row) for b, row in zip(bias, rows, strict=True)]
        if multiplier == 0:
            return [0] * len(values), [0] * self.units, self._encoded(2**30, -1)
        self.shifts.append(shift)
        return values, bias, self._encoded(multiplier, shift)

    def _bias(self, place: int | None, name: str) -> list[int]:
        if place is None:
            return [0] * self.units
        dtype = "int64" if self.wide else "int32"
        bias = self.tensor(self.operator.inputs, place, f"bias of the {name} gate")
        if bias.dtype != dtype or bias.data is None or bias.shape != (self.units,):
            raise self.refuse(f"bias {bias.label} must be a constant of {self.units} {dtype}")
        return list(unpack(bias.data, dtype))

    def _check_bound(self, bound: int, raw: int, multiplier: int, shift: int, where: str) -> None:
        """`bound` of a sum, `raw` of one without bias and zero point. Beyond, TFLite Micro is undefined."""
        if self.wide:
            fits = bound < MAX_SUM and raw <= INT32_MAX and shift <= MAX_WIDE_SHIFT
            fits = fits and (bound * reduce_multiplier(multiplier) >> (15 - shift)) + 1 <= INT32_MAX
        else:
            fits = fits_32_bits(bound, multiplier, shift)
        if not fits:
            raise self.refuse(f"the {where} can overflow 32 bits; scale the model's inputs, or use fewer")

    def _encoded(self, multiplier: int, shift: int) -> Factor:
        if not self.wide:
            return encode_multiplier(multiplier), encode_shift(shift)
        return reduce_multiplier(multiplier), 15 - shift

    @property
    def _groups(self) -> tuple[int, int]:
        return -(-self.depth // GROUP), -(-self.units // GROUP)

    @property
    def scratch_bytes(self) -> int:
        return 2 * GROUP * sum(self._groups)

    @property
    def macs(self) -> int:
        return self.batches * self.steps * 4 * self.units * (self.depth + self.units)

    def constants(self) -> list[Constant]:
        biases = [
            word
            for unit in range(self.units)
            for part in self.bias
            for gate in part
            for word in (_words(gate[unit]) if self.wide else (gate[unit],))
        ]
        sigmoid = [entry - (1 << 15) for entry in SIGMOID_TABLE] + [32766, 32767, 0]
        return [
            Constant("weights", "int16_t", self._packed(), alignment=4),
            Constant("biases", "int32_t", biases),
            Constant("sigmoid", "int16_t", sigmoid),
        ]

    def _packed(self) -> list[int]:
        order = range(GROUP) if self.wide else ORDER
        packed: list[int] = []
        for unit in range(self.units):
            for gates, depth in zip(self.rows, (self.depth, self.units), strict=True):
                packed += four_rows([gate[unit * depth : (unit + 1) * depth] for gate in gates], order)
        return packed

    def parameters(self, prefix: str) -> dict[str, str]:
        size = 1 + self.wide
        x_row, y_row = size * self.depth, size * self.units
        numbers = {
            "wide": int(self.wide),
            "batches": self.batches,
            "steps": self.steps,
            "depth": self.depth,
            "units": self.units,
            "input_groups": self._groups[0],
            "hidden_groups": self._groups[1],
            "input_batch_bytes": x_row if self.major else x_row * self.steps,
            "input_step_bytes": x_row * self.batches if self.major else x_row,
            "output_batch_bytes": y_row if self.major else y_row * self.steps,
            "output_step_bytes": y_row * self.batches if self.major else y_row,
            "gates_shift_right": int(max(self.shifts, default=-1) < 0),
            "clip": self.factors.clip,
            "tanh_multiplier": self.factors.tanh[0],
            "tanh_shift": self.factors.tanh[1],
            "zero_point": self.hidden.zero_points[0],
            "min": DTYPES[self.x.dtype].low,
            "max": DTYPES[self.x.dtype].high,
        }
        factors = {
            "input": braces([*map(braces, self.gate_factors[0])]),
            "hidden": braces([*map(braces, self.gate_factors[1])]),
        }
        factors |= dict(zip(("forget", "update", "output"), map(braces, self.products), strict=True))
        tables = {name: f"{prefix}_{name}" for name in ("weights", "biases", "sigmoid")}
        return {name: str(value) for name, value in numbers.items()} | factors | tables


def _words(value: int) -> tuple[int, int]:
    """A number of 64 bits as two of 32, low one first."""
    low, high = value & 0xFFFFFFFF, value >> 32
    return low - (1 << 32) * (low >> 31), high
