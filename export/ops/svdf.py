# SPDX-License-Identifier: Apache-2.0
"""SVDF: int8 with a state of int8 or int16; the rows of a filter's past are shifted where they lie."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import fits_32_bits, float32, quantize_multiplier
from tinyproof.core.tflite.dtypes import DTYPES, unpack
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Constant, Op, braces
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift
from tinyproof.export.ops.simd_packing import ORDER, four_rows

MAX_BIAS_DIFFERENCE = 1e-5  # of the bias' scale from that of the sums
STATES = ("int8", "int16")
# A shift to the right by this much takes any 32 bits: TFLite Micro's sums over time may wrap around, and so do ours.
SAFE_SHIFT = -2


class Svdf(Op):
    """Zero points are folded into offsets and biases. TFLite Micro looks at no activation, and neither do we."""

    names = ("SVDF",)
    max_version = 4
    code_bytes = 700
    kernel = "svdf"
    moves_bytes = True

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        inputs = operator.inputs
        if len(inputs) != 5 or len(operator.outputs) != 1:
            raise self.refuse(f"has {len(inputs)} inputs and {len(operator.outputs)} outputs; 5 and 1 are needed")
        self.x = self.activation(inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        features = self._constant(1, "feature weights", ("int8",))
        times = self._constant(2, "time weights", STATES)
        bias = self._constant(3, "bias", ("int32",))
        self.state = self.variable(4, "state", (times.dtype,))
        self.wide = times.dtype == "int16"
        self.rank = operator.options.get("rank", 0)
        self._check_shapes(features, times, bias)
        self.times = unpack(times.data or b"", times.dtype)
        self._read_factors(features, times, bias)
        self._read_features(unpack(features.data or b"", "int8"))
        self._read_biases(unpack(bias.data or b"", "int32"))
        self.inputs = (self.x.index, self.state.index)
        self.outputs = (self.y.index, self.state.index)
        self.kept = (self.state.index,)

    def _constant(self, place: int, role: str, types: tuple[str, ...]) -> Tensor:
        found = self.tensor(self.operator.inputs, place, role)
        self.check_type(found, role, types)
        if found.data is None or (len(found.scales) != 1 and role != "bias"):
            raise self.refuse(f"{role} {found.label} must be a constant with one scale")
        return found

    def _check_shapes(self, features: Tensor, times: Tensor, bias: Tensor) -> None:
        shapes = [list(tensor.shape) for tensor in (self.x, features, times, self.state, self.y)]
        self.filters, self.memory = (*times.shape, 0, 0)[:2]
        self.batches, self.depth = (*self.x.shape, 0, 0)[:2]
        if self.rank < 1 or self.filters % self.rank:
            raise self.refuse(f"rank {self.rank} does not divide {self.filters} filters")
        self.units = self.filters // self.rank
        expected = [
            [self.batches, self.depth],
            [self.filters, self.depth],
            [self.filters, self.memory],
            [self.batches, self.filters * self.memory],
            [self.batches, self.units],
        ]
        if shapes != expected or bias.shape[:1] != (self.units,) or bias.elements != self.units or self.y.elements == 0:
            raise self.refuse(f"input, weights, state and output {shapes} do not fit, or the bias {list(bias.shape)}")
        if 0 in (self.depth, self.memory):
            raise self.refuse("has an input or a memory of nothing")

    def _read_factors(self, features: Tensor, times: Tensor, bias: Tensor) -> None:
        """PrepareSvdf: products and quotients in float32."""
        state, y = self.state.scales[0], self.y.scales[0]
        product = float32(state * times.scales[0])
        reals = float32(float32(self.x.scales[0] * features.scales[0]) / state), float32(product / y)
        if not max(reals) < 2.0**31:
            raise self.refuse("its sums can overflow 32 bits when they are rescaled; check the scales of its tensors")
        self.feature, self.output = map(quantize_multiplier, reals)
        if not abs((*bias.scales, 0.0)[0] - product) < MAX_BIAS_DIFFERENCE:
            raise self.refuse(f"bias {bias.label} has a scale that is not state scale times time weight scale")

    def _read_features(self, features: tuple[int, ...]) -> None:
        zero_point = self.x.zero_points[0]
        rows = [features[filter_ * self.depth : (filter_ + 1) * self.depth] for filter_ in range(self.filters)]
        multiplier, shift = self.feature
        for filter_, row in enumerate(rows):
            bound = max(127 - zero_point, 128 + zero_point, 128) * sum(map(abs, row))
            self._check_bound(bound, multiplier, shift, f"filter {filter_}")
        if multiplier == 0:
            rows, self.feature = [(0,) * self.depth] * self.filters, (2**30, -1)
        spare = -self.filters % 4
        self.offsets = [-zero_point * sum(row) for row in rows] + [0] * spare
        rows += [(0,) * self.depth] * spare
        self.features = [w for start in range(0, len(rows), 4) for w in four_rows(rows[start : start + 4], ORDER)]

    def _read_biases(self, biases: tuple[int, ...]) -> None:
        zero_point, dtype = self.state.zero_points[0], DTYPES[self.state.dtype]
        multiplier, shift = self.output
        self.biases = []
        for unit, bias in enumerate(biases):
            weights = self.times[unit * self.rank * self.memory : (unit + 1) * self.rank * self.memory]
            if shift > SAFE_SHIFT:
                reach = max(dtype.high - zero_point, zero_point - dtype.low, -dtype.low)
                self._check_bound(abs(bias) + reach * sum(map(abs, weights)), multiplier, shift, f"unit {unit}")
            wrapped = (bias - zero_point * sum(weights)) & 0xFFFFFFFF
            self.biases.append(wrapped - (1 << 32) * (wrapped >> 31))
        if multiplier == 0:
            self.times, self.biases, self.output = (0,) * len(self.times), [0] * self.units, (2**30, -1)

    def _check_bound(self, bound: int, multiplier: int, shift: int, where: str) -> None:
        if not fits_32_bits(bound, multiplier, shift, room=33_000):
            raise self.refuse(f"{where} can overflow 32 bits; scale the model's inputs, or use fewer")

    @property
    def scratch_bytes(self) -> int:
        return 8 * -(-self.depth // 4)

    @property
    def macs(self) -> int:
        return self.batches * self.filters * (self.depth + self.memory)

    def constants(self) -> list[Constant]:
        return [
            Constant("features", "int16_t", self.features, alignment=4),
            Constant("offsets", "int32_t", self.offsets),
            Constant("times", "int16_t", self.times),
            Constant("biases", "int32_t", self.biases),
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {
            "wide": int(self.wide),
            "batches": self.batches,
            "depth": self.depth,
            "groups": -(-self.depth // 4),
            "filters": self.filters,
            "rank": self.rank,
            "memory": self.memory,
            "state_zero_point": self.state.zero_points[0],
            "zero_point": self.y.zero_points[0],
        }
        factors = {
            name: braces((encode_multiplier(multiplier), encode_shift(shift)))
            for name, (multiplier, shift) in (("feature", self.feature), ("output", self.output))
        }
        tables = {table.suffix: f"{prefix}_{table.suffix}" for table in self.constants()}
        return {name: str(value) for name, value in numbers.items()} | factors | tables
