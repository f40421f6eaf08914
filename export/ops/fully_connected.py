# SPDX-License-Identifier: Apache-2.0
"""FULLY_CONNECTED: y_q = clamp(zero_point + requantize(bias + sum (x_q - x_zero_point) w_q))."""

from __future__ import annotations

from functools import cached_property

from tinyproof.core.tflite.arithmetic import INT32_MAX, quantize_multiplier, weight_multipliers
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops import mve
from tinyproof.export.ops.base import Call, Constant, MveForm, Op
from tinyproof.export.ops.conv_pairs import QUAD_UNITS, Pairs, quad_tables
from tinyproof.export.ops.dense import MIN_PAIRED_WEIGHTS, Dense
from tinyproof.export.ops.matrices import ByteProduct, Matrices
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import packable
from tinyproof.export.ops.wide_sums import WideSums, has_narrow_sums

MAX_REAL_MULTIPLIER = 2.0**30 - 1  # the kernel shifts left by at most 30 bits

QUADS = "dense_quads_s8"  # the kernel that reads its input where it lies
QUAD_DEPTH = 16  # inputs that it takes at a time
MIN_QUADS_DEPTH = 512  # where a widened copy would take a KB, that kernel is worth its code if it is as fast
LONG_DEPTH = 1024  # and from here on worth this share of the layer's instructions, too
LONG_WORTH = 0.15
MIN_MVE_WEIGHTS = 64  # for smaller layers vectors are not worth their code


class FullyConnected(Op):
    """Weights [units, depth], one scale for all or one per unit; bias optional; any leading dimensions.

    The input's zero point is folded into the bias, bias - x_zero_point * sum(w), so the kernel multiplies raw bytes.
    """

    names = ("FULLY_CONNECTED",)
    code_bytes = 330
    max_version = 14
    kernel = "fully_connected_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input", ("int8", "int16"))
        self.y = self.activation(operator.outputs, 0, "output", (self.x.dtype,))
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self._read_weights()
        self.clamp = self.fused_clamp(self.y)
        self.wide: WideSums | None = None
        self.product: ByteProduct | None = None
        self.pairs: Pairs | None = None
        bias = self._read_bias()
        if self.weight_tensor.data is None or any(self.weight_tensor.zero_points):
            self._read_product(bias)
            return
        self.weights = unpack(self.weight_tensor.data, self.weight_tensor.dtype)[: self.weight_tensor.elements]
        sums = [sum(self._row(unit)) for unit in range(self.units)]
        self.bias = [b - self.x.zero_points[0] * total for b, total in zip(bias, sums, strict=True)]
        reals = weight_multipliers(self.x.scales[0], self.weight_scales, self.y.scales[0])
        if not all(real < MAX_REAL_MULTIPLIER for real in reals):
            raise self.refuse("rescales by 2^30 or more; check the scales of its tensors")
        if self.x.dtype == "int16":
            self._read_wide_sums(reals, bias)
            return
        self.multipliers, self.shifts = map(list, zip(*map(quantize_multiplier, reals), strict=True))
        self._silence_dead_units()
        self._check_overflow(bias)
        self.rows = [self._row(unit) for unit in range(self.units)]
        if self.depth * self.units >= MIN_PAIRED_WEIGHTS:
            once = float(self._has_lower_clamp)
            self.pairs = Pairs(self._window(), tuple(self.rows), self.depth, self.batches, pointwise=True, once=once)
            self.kernel = self.pairs.kernel
            narrow = self.narrow() if self.depth >= MIN_QUADS_DEPTH else None
            if narrow and narrow.cost <= self.cost * (1 + LONG_WORTH * (self.depth >= LONG_DEPTH)):
                self.kernel, self.pairs = narrow.kernel, None

    def _read_wide_sums(self, reals: list[float], bias: tuple[int, ...]) -> None:
        """int16: the kernel is CONV_2D's, too."""
        self.kernel = "conv_s16"
        self.rows = [self._row(unit) for unit in range(self.units)]
        zero_point = abs(self.x.zero_points[0])
        reaches = [
            max(abs(b), abs(folded)) + (2**15 + zero_point) * sum(map(abs, row))
            for b, folded, row in zip(bias, self.bias, self.rows, strict=True)
        ]
        narrow = has_narrow_sums(self, self.optional(self.operator.inputs, 2))
        self.wide = WideSums(self, reals * (self.units // len(reals)), reaches, narrow=narrow)
        if self.wide.suits_rows:
            self.kernel = "conv_rows_s16"
        for unit in filter(self.wide.is_dead, range(self.units)):
            self.rows[unit], self.bias[unit] = (0,) * self.depth, 0

    def _read_product(self, bias: tuple[int, ...]) -> None:
        """Weights that are computed, or have a zero point: the kernel is BATCH_MATMUL's."""
        weights = self.weight_tensor
        if self.x.dtype == "int16" or weights.dtype != "int8" or len(weights.scales) > 1:
            raise self.refuse(
                f"weights {weights.label} are computed or have zero points; tinyproof takes such of int8 with one "
                "scale, and int8 activations"
            )
        (real,) = weight_multipliers(self.x.scales[0], weights.scales, self.y.scales[0])
        along = (self.depth, 1)
        matrices = Matrices((1, 1, 1), (0, 0, 0), (0, 0, 0), self.batches, self.depth, self.units, along, along)
        zero_points = (self.x.zero_points[0], weights.zero_points[0], self.y.zero_points[0])
        self.product = ByteProduct(self, matrices, real, zero_points, self.clamp, bias)
        self.kernel = "batch_matmul_s8"
        if weights.data is None:
            self.inputs = (self.x.index, weights.index)

    @property
    def scratch_bytes(self) -> int:
        if self.product:
            return self.product.matrices.scratch_bytes
        if self.wide and self.wide.suits_rows:
            return self.wide.row_scratch(self.depth, self.batches)
        return self.pairs.scratch_bytes if self.pairs else 0

    def _window(self) -> str:
        """For CONV_2D's kernels: a row of pixels, and no padding."""
        return f"1, 1, {self.batches}, {self.depth}, 1, {self.batches}, 1, 1, 1, 1, 1, 1, 0, 0"

    def _read_weights(self) -> None:
        weights = self.tensor(self.operator.inputs, 1, "weights")
        self.check_type(weights, "weights", ("int8",) if self.x.dtype == "int16" else ("int8", "int4"))
        if len(weights.shape) != 2 or 0 in weights.shape or not weights.scales:
            raise self.refuse(f"weights {weights.label} must have scales and the shape [units, depth]")
        self.units, self.depth = weights.shape
        self.weight_tensor, self.weight_scales = weights, weights.scales
        if len(weights.scales) > 1:
            if weights.dtype == "int4":
                raise self.refuse("TFLite Micro takes int4 weights with one scale for all; quantize per tensor")
            # TFLM looks no further: a dimension that is as long as the units' passes for it.
            if len(weights.scales) != self.units or weights.shape[weights.quantized_dimension] != self.units:
                raise self.refuse(
                    f"weights {weights.label} have {len(weights.scales)} scales for dimension 0 of "
                    f"{list(weights.shape)}, or have them along another"
                )
        if self.operator.options.get("weights_format", 0) != 0:
            raise self.refuse("shuffled weights are not supported; convert the model with the default weights format")
        # TFLM takes the units from the weights and reads the input row after row, whatever its dimensions are.
        self.batches = self.y.elements // self.units
        rows = self.x.elements // self.depth
        if (
            self.batches < 1
            or self.batches != rows
            or self.x.elements != rows * self.depth
            or self.y.elements != self.batches * self.units
            or self.y.shape[-1:] != (self.units,)
        ):
            raise self.refuse(
                f"input {list(self.x.shape)}, weights {list(weights.shape)} and output {list(self.y.shape)} do not fit"
            )

    def _row(self, unit: int) -> tuple[int, ...]:
        return self.weights[unit * self.depth : (unit + 1) * self.depth]

    def _read_bias(self) -> tuple[int, ...]:
        bias = self.optional(self.operator.inputs, 2)
        if bias is None:
            return (0,) * self.units
        types = ("int64", "int32") if self.x.dtype == "int16" else ("int32",)
        if bias.dtype not in types or bias.data is None or bias.elements != self.units:
            raise self.refuse(f"bias {bias.label} must be a constant of {self.units} {' or '.join(types)}")
        if len(self.weight_scales) == 1:  # TFLM refuses this too, in GetQuantizedConvolutionMultipler
            difference = abs(self.x.scales[0] * self.weight_scales[0] - (bias.scales[0] if bias.scales else 0.0))
            if difference / self.y.scales[0] > 0.02:
                raise self.refuse(f"bias {bias.label} has a scale that is not input scale times weight scale")
        return unpack(bias.data, bias.dtype)

    def _silence_dead_units(self) -> None:
        """A unit whose multiplier rounds to 0 answers 0 in TFLM. The kernel's encoding has no 0: zero its weights."""
        for unit in range(self.units):
            if self.multipliers[unit % len(self.multipliers)] == 0:
                self.weights = (
                    *self.weights[: unit * self.depth],
                    *(0,) * self.depth,
                    *self.weights[(unit + 1) * self.depth :],
                )
                self.bias[unit] = 0
        pairs = list(zip(self.multipliers, self.shifts, strict=True))
        alive = next((pair for pair in pairs if pair[0]), (2**30, -1))
        self.multipliers, self.shifts = map(list, zip(*(p if p[0] else alive for p in pairs), strict=True))

    def _check_overflow(self, bias: tuple[int, ...]) -> None:
        """TFLM accumulates in int32 and wraps, which is undefined in C: refuse a model where any input could."""
        zero_point = self.x.zero_points[0]
        reach = max(127 - zero_point, 128 + zero_point)
        for unit in range(self.units):
            weight = sum(map(abs, self._row(unit)))
            bound = max(abs(bias[unit]) + reach * weight, abs(self.bias[unit]) + 128 * weight)
            multiplier, shift = self.multipliers[unit % len(self.multipliers)], self.shifts[unit % len(self.shifts)]
            shifted = bound << max(shift, 0)
            rounding = (1 << max(-shift, 0)) >> 1
            if shifted > INT32_MAX or ((shifted * multiplier) >> 31) + rounding + 256 > INT32_MAX:
                raise self.refuse(f"unit {unit} can overflow 32 bits; scale the model's inputs, or use fewer inputs")

    def narrow(self) -> FullyConnected | None:
        """The same with a kernel that needs no widened copy of its input, where there is one."""
        if not self.pairs or self.batches > 1 or self.depth % QUAD_DEPTH or self.units % QUAD_UNITS:
            return None
        op = self.copied()
        op.kernel, op.pairs = QUADS, None
        return op

    @property
    def cost(self) -> int:
        if self.kernel == QUADS:
            quads = list(zip(self._packed[::2], self._packed[1::2], strict=True))
            of_bytes = sum(not all(quad) for quad in quads) / len(quads)
            each = 1.06 + 0.65 * of_bytes
            return round(each * self.macs + self.units * (1 if self._has_lower_clamp else 21))
        if self.pairs and self.batches < 3:
            each = 0 if all(self._packed) else 0.3
            return self.pairs.cost + round(each * self.macs)
        return self.pairs.cost if self.pairs else super().cost

    @property
    def _has_lower_clamp(self) -> bool:
        """As behind a ReLU: then one rounding does for nearly all outputs, without asking which."""
        return self.clamp[0] >= self.y.zero_points[0]

    @cached_property
    def _packed(self) -> list[bool]:
        """Of each two units whether their weights are numbers; bytes take longer. Kept: plans ask often."""
        return list(map(packable, self.rows[::2], self.rows[1::2]))

    @property
    def in_place(self) -> bool:
        # One byte is written per row, after the whole row was read, and never ahead of the reading.
        return self.units == 1 and not self.product

    @property
    def macs(self) -> int:
        return self.batches * self.units * self.depth

    @property
    def mve(self) -> MveForm | None:
        if self.product or self.wide or self.depth * self.units < MIN_MVE_WEIGHTS:
            return None
        if self.batches == 1 or self.depth % mve.LANES:
            return mve.fully_connected(self.batches, self.rows, self.scaling)
        return mve.convolution(self._pixels, self.rows, self.scaling, direct=True)

    @property
    def scaling(self) -> Scaling:
        """Of int8: what follows the sums."""
        multipliers, shifts = (tuple(self._per_unit(values)) for values in (self.multipliers, self.shifts))
        return Scaling(tuple(self.bias), multipliers, shifts, self.y.zero_points[0], self.clamp)

    @property
    def _pixels(self) -> str:
        """struct conv_window: each row of the input is an image of one pixel."""
        return f"{{{self.batches}, 1, 1, {self.depth}, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0}}"

    def _per_unit(self, values: list[int]) -> list[int]:
        return values if len(values) == self.units else values * self.units

    def constants(self) -> list[Constant]:
        if self.kernel == QUADS:
            return quad_tables(self.rows, self.scaling)
        if self.pairs:
            return self.pairs.constants(self.scaling)
        if self.product:
            return [*self.operand_tables(self.weight_tensor, "weights"), *self.product.constants()]
        if self.wide and self.wide.suits_rows:
            return self.wide.row_tables(self.rows, self.bias)
        if self.wide:
            weights = [weight for row in self.rows for weight in row]
            return [
                Constant("weights", "int8_t", weights),
                Constant("bias", "int64_t", self.bias),
                *self.wide.tables(),
            ]
        return self._dense.constants(self.bias, self.multipliers, self.shifts)

    @property
    def _dense(self) -> Dense:
        return Dense(self.batches, tuple(self.rows))

    def calls(self, prefix: str) -> list[Call]:
        if not self.product:
            return super().calls(prefix)
        places = (self.x.index, self.operand_place(self.weight_tensor, prefix, "weights"))
        return [Call(places, self.outputs, self.parameters(prefix))]

    def parameters(self, prefix: str) -> dict[str, str]:
        if self.product:
            return self.product.parameters(prefix)
        zero_point = self.y.zero_points[0]
        if self.kernel == QUADS:
            numbers = {"depth": self.depth, "units": self.units, "rounding": 1 + 2 * zero_point}
            numbers |= {"clamp_min": self.clamp[0], "clamp_max": self.clamp[1]}
            tables = {table: f"{prefix}_{table}" for table in ("weights", "scales")}
            return {name: str(value) for name, value in numbers.items()} | tables
        if self.pairs:
            return self.pairs.parameters(prefix, self.x.zero_points[0], self.scaling)
        if self.wide:
            head = {"window": f"{{{self._window()}, 0}}", "units": str(self.units)}
            if self.wide.suits_rows:
                return head | self.wide.row_members(prefix, self.depth, zero_point, self.clamp)
            rescaling = self.wide.parameters(prefix, zero_point, self.clamp)
            return head | {"rescaling": rescaling, "weights": f"{prefix}_weights", "bias": f"{prefix}_bias"}
        return self._dense.parameters(prefix, (self.multipliers, self.shifts), zero_point, self.clamp)
