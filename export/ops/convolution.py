# SPDX-License-Identifier: Apache-2.0
"""What CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV check alike: geometry, rescaling per output channel, bounds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from tinyproof.core.tflite.arithmetic import INT32_MAX, quantize_multiplier
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op, RowPart, RowWalk
from tinyproof.export.ops.conv_pairs import Pairs
from tinyproof.export.ops.conv_planes import MAX_STRIP_BYTES, Axis, Planes
from tinyproof.export.ops.one_rounding import one_roundings
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import PAIR_GROUP, padded_depth
from tinyproof.export.ops.wide_sums import WideSums, has_narrow_sums

MAX_REAL_MULTIPLIER = 2.0**30 - 1  # kernels shift left by at most 30 bits
SAME, VALID = 0, 1
NEAR_WORTH = 0.06  # of a layer's instructions: what room for its output may cost
ROW_SEARCH_COST = 78  # of a row of the kernel that is not inside, in conv_columns.h


class Convolution(Op):
    """Input [batches, height, width, channels], int8 or int16; weights symmetric, one scale for all or one per output
    channel.

    int8: the input's zero point is folded into the bias, bias - x_zero_point * sum(w), and stands for the input outside
    of the image: so padding is exact and kernels multiply raw bytes. int16: TFLite Micro ignores the zero points, but
    where the activation clamps; `wide` is then what follows the sums.
    """

    channel_dimension: ClassVar[int]  # of the weights: the output channels
    weight_types: ClassVar[tuple[str, ...]] = ("int8", "int4")  # for int8
    bias_types: ClassVar[tuple[str, ...]] = ("int64", "int32")  # for int16
    stripless = False  # by pairs of channels, see LaidOutConvolution.without_strip
    x_place: ClassVar[int] = 0  # of the input in the operator's list; weights stand at 1, and the bias at the end

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, self.x_place, "input", ("int8", "int16"))
        self.y = self.activation(operator.outputs, 0, "output", (self.x.dtype,))
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self._read_weights()
        self._read_geometry()
        self.clamp = self.fused_clamp(self.y)
        bias = self._read_bias()
        self.rows = [self.row(channel) for channel in range(self.channels_out)]
        self.wide: WideSums | None = None
        if self.x.dtype == "int16":
            self._read_wide_sums(bias)
            return
        self.bias = [self.fold(b, row) for b, row in zip(bias, self.rows, strict=True)]
        self._read_multipliers()
        self._check_overflow(bias)

    @abstractmethod
    def row(self, channel: int) -> tuple[int, ...]:
        """The weights of one output channel."""

    def fold(self, bias: int, row: tuple[int, ...]) -> int:
        """The bias of a channel with the input's zero point in it."""
        return bias - self.x.zero_points[0] * sum(row)

    @abstractmethod
    def output_channels(self, channels_in: int) -> int:
        """Checks the weights' shape against the input's channels."""

    def _read_weights(self) -> None:
        weights = self.tensor(self.operator.inputs, 1, "weights")
        self.check_type(weights, "weights", ("int8",) if self.x.dtype == "int16" else self.weight_types)
        if weights.data is None or len(weights.shape) != 4 or 0 in weights.shape:
            raise self.refuse(f"weights {weights.label} must be a constant of four dimensions")
        self.weights_shape = weights.shape
        self.weights = unpack(weights.data, weights.dtype)[: weights.elements]
        self.weight_scales = weights.scales
        if not weights.scales or any(weights.zero_points):
            raise self.refuse(f"weights {weights.label} need scales, and zero points of 0")
        channels = weights.shape[self.channel_dimension]
        if len(weights.scales) not in (1, channels) or (
            len(weights.scales) > 1 and weights.shape[weights.quantized_dimension] != channels
        ):  # TFLM looks no further: a dimension that is as long as the output channels' passes for it
            raise self.refuse(
                f"weights {weights.label} have {len(weights.scales)} scales for dimension {self.channel_dimension} of "
                f"{list(weights.shape)}, or have them along another"
            )

    def _read_geometry(self) -> None:
        if len(self.x.shape) != 4 or len(self.y.shape) != 4 or 0 in self.x.shape or 0 in self.y.shape:
            raise self.refuse("input and output need four dimensions: batch, height, width, channels")
        self.batches, self.height, self.width, self.channels_in = self.x.shape
        self.kernel_height, self.kernel_width = self.weights_shape[1:3]
        self.channels_out = self.output_channels(self.channels_in)
        options = self.operator.options
        self.strides = options.get("stride_h", 0), options.get("stride_w", 0)
        self.dilations = options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)
        padding = options.get("padding", SAME)
        if min(*self.strides, *self.dilations) < 1 or padding not in (SAME, VALID):
            raise self.refuse("strides and dilations must be 1 or more, and padding SAME or VALID")
        sizes, pads = [], []
        kernel = (self.kernel_height, self.kernel_width)
        for size, extent, stride, dilation in zip(
            (self.height, self.width), kernel, self.strides, self.dilations, strict=True
        ):
            reach = (extent - 1) * dilation + 1
            out = -(-size // stride) if padding == SAME else -(-(size - reach + 1) // stride)
            sizes.append(out)
            pads.append(max((out - 1) * stride + reach - size, 0) // 2)  # TFLM: the odd one goes below and right
        self.pads = (pads[0], pads[1])
        if self.y.shape != (self.batches, *sizes, self.channels_out):
            raise self.refuse(f"output {list(self.y.shape)} is not {[self.batches, *sizes, self.channels_out]}")
        if self.x.elements > INT32_MAX or max(*self.strides, *self.dilations, *self.weights_shape) > 0xFFFF:
            raise self.refuse("is too large for a microcontroller")
        self.out_height, self.out_width = sizes
        # One tap has no gaps.
        down, across = self.dilations
        self.dilations = down if self.kernel_height > 1 else 1, across if self.kernel_width > 1 else 1
        self._lay_flat()

    def _read_bias(self) -> tuple[int, ...]:
        bias = self.optional(self.operator.inputs, self.bias_place)
        if bias is None:
            return (0,) * self.channels_out
        types = self.bias_types if self.x.dtype == "int16" else ("int32",)
        if bias.dtype not in types or bias.data is None or bias.elements != self.channels_out:
            raise self.refuse(f"bias {bias.label} must be a constant of {self.channels_out} {' or '.join(types)}")
        return unpack(bias.data, bias.dtype)

    @property
    def bias_place(self) -> int:
        return 2 if self.x_place == 0 else 3

    def reals(self) -> list[float]:
        """Factors of each output channel. TFLM takes the product of scales in double here, for one scale as for many
        (kernel_util.cc)."""
        scales = self.weight_scales if len(self.weight_scales) > 1 else self.weight_scales * self.channels_out
        return [self.x.scales[0] * scale / self.y.scales[0] for scale in scales]

    def _read_wide_sums(self, bias: tuple[int, ...]) -> None:
        named = self.optional(self.operator.inputs, self.bias_place)
        narrow = "int32" in self.bias_types and has_narrow_sums(self, named)
        self.bias = list(bias)
        reaches = [abs(b) + 2**15 * sum(map(abs, row)) for b, row in zip(bias, self.rows, strict=True)]
        self.wide = WideSums(self, self.reals(), reaches, narrow=narrow)
        for channel in filter(self.wide.is_dead, range(self.channels_out)):
            self.rows[channel], self.bias[channel] = (0,) * len(self.rows[channel]), 0

    def _read_multipliers(self) -> None:
        reals = self.reals()
        if not all(real < MAX_REAL_MULTIPLIER for real in reals):
            raise self.refuse("rescales by 2^30 or more; check the scales of its tensors")
        self.multipliers, self.shifts = map(list, zip(*map(quantize_multiplier, reals), strict=True))
        for channel, multiplier in enumerate(self.multipliers):
            if multiplier == 0:  # TFLM answers 0; the kernels' encoding has no 0, so weights and bias become 0
                self.rows[channel] = (0,) * len(self.rows[channel])
                self.bias[channel] = 0
                self.multipliers[channel], self.shifts[channel] = 2**30, -1

    def _check_overflow(self, bias: tuple[int, ...]) -> None:
        """TFLM accumulates in int32 and wraps, which is undefined in C: refuse a model where any input could."""
        zero_point = self.x.zero_points[0]
        reach = max(127 - zero_point, 128 + zero_point)
        for channel, row in enumerate(self.rows):
            weight = sum(map(abs, row))
            bound = max(abs(bias[channel]) + reach * weight, abs(self.bias[channel]) + 128 * weight)
            shift = self.shifts[channel]
            shifted = bound << max(shift, 0)
            rounding = (1 << max(-shift, 0)) >> 1
            if shifted > INT32_MAX or ((shifted * self.multipliers[channel]) >> 31) + rounding + 256 > INT32_MAX:
                raise self.refuse(f"channel {channel} can overflow 32 bits; scale the model's inputs")

    @property
    def scaling(self) -> Scaling:
        """Of int8: what follows the sums."""
        return Scaling(tuple(self.bias), tuple(self.multipliers), tuple(self.shifts), self.y.zero_points[0], self.clamp)

    @property
    def macs(self) -> int:
        return self.y.elements // self.channels_out * sum(map(len, self.rows))

    def _lay_flat(self) -> None:
        """Images of one column become a row, which kernels walk fastest."""
        if self.width == self.kernel_width == self.out_width == 1:
            self.height, self.width = 1, self.height
            self.out_height, self.out_width = 1, self.out_height
            self.kernel_height, self.kernel_width = 1, self.kernel_height
            self.strides, self.dilations, self.pads = self.strides[::-1], self.dilations[::-1], self.pads[::-1]

    def planes(self, groups: int) -> list[Planes]:
        """How the layer goes channel by channel, those of its input being in so many groups."""
        channels = self.channels_in // groups
        return Planes.both(self.batches, self.axes(), groups, channels, tuple(self.rows), once=self.share_once)

    @property
    def share_once(self) -> float:
        """What share of the output channels is rescaled by one rounding."""
        return sum(one is not None for one in one_roundings(tuple(self.rows), self.scaling)) / self.channels_out

    def axes(self) -> tuple[Axis, Axis]:
        """Height and width."""
        columns = zip(
            (self.height, self.width),
            (self.out_height, self.out_width),
            (self.kernel_height, self.kernel_width),
            self.strides,
            self.dilations,
            self.pads,
            (self.width * self.channels_in, self.channels_in),
            (self.out_width * self.channels_out, self.channels_out),
            strict=True,
        )
        y, x = (Axis(*numbers) for numbers in columns)
        return y, x

    def pairs(self) -> Pairs:
        """How it goes by pairs of output channels, each of which takes all of the input's."""
        pixels = self.batches * self.out_height * self.out_width
        pointwise = (self.kernel_height, self.kernel_width, *self.strides) == (1, 1, 1, 1)
        window = f"1, 1, {pixels}, {self.channels_in}, 1, {pixels}, 1, 1, 1, 1, 1, 1, 0, 0"
        width = self.kernel_width * self.channels_in
        reach, high = (
            (outputs - 1) * stride + (taps - 1) * dilation + 1
            for outputs, stride, taps, dilation in (
                (self.out_width, self.strides[1], self.kernel_width, self.dilations[1]),
                (self.out_height, self.strides[0], self.kernel_height, self.dilations[0]),
            )
        )
        strip_bytes = self.kernel_height * reach * self.channels_in + 3
        padded = reach - self.pads[1] > self.width or high - self.pads[0] > self.height or any(self.pads)
        suits = padded and self.dilations[1] == 1 and strip_bytes <= MAX_STRIP_BYTES
        strip = reach if suits and not self.stripless else 0
        walk = window if pointwise else self._walk()
        border = self._border_cost() if suits and self.stripless else 0
        return Pairs(
            *(walk, tuple(self.rows), width, pixels, pointwise, strip, strip_bytes),
            *(
                self.out_width if strip else 0,
                self.share_once,
                self.kernel_width if self.dilations[1] > 1 else 0,
                border,
            ),
        )

    def pairs_by_columns(self) -> list[Pairs]:
        """The same with all of the kernel as one row, column by column, where rows would be filled up or have gaps."""
        taps, width, channels = self.kernel_height, self.kernel_width, self.channels_in
        phases = self.dilations[1]
        strip = -(-((self.out_width - 1) * self.strides[1] + (width - 1) * phases + 1) // phases) * phases
        strip_bytes = taps * strip * channels + 3
        saves = padded_depth(taps * width * channels, PAIR_GROUP) < taps * padded_depth(width * channels, PAIR_GROUP)
        suits = (saves and phases == 1) or (phases > 1 and self.strides[1] == 1)
        if not suits or self.stripless or strip_bytes > MAX_STRIP_BYTES:
            return []
        order = [(y * width + x) * channels + c for x in range(width) for y in range(taps) for c in range(channels)]
        return [
            Pairs(
                self._walk(),
                tuple(tuple(row[place] for place in order) for row in self.rows),
                len(order),
                self.batches * self.out_height * self.out_width,
                pointwise=False,
                strip=strip,
                strip_bytes=strip_bytes,
                row_pixels=self.out_width,
                once=self.share_once,
                column_taps=taps,
            )
        ]

    def _border_cost(self) -> int:
        """Instructions on a Cortex-M4 of conv_pairs_s8 without a strip, about: four pixels that are not inside as a
        whole look for each row of the kernel."""
        y, x = self.axes()
        fours = -(-self.out_height * self.out_width // 4) - y.inside * max(0, (x.inside - 3) // 4)
        return self.batches * fours * 4 * self.kernel_height * ROW_SEARCH_COST

    def _walk(self) -> str:
        numbers = (
            *(self.batches, self.height, self.width, self.channels_in, self.out_height, self.out_width),
            *(self.kernel_height, self.kernel_width, *self.strides, *self.dilations, *self.pads),
        )
        return ", ".join(map(str, numbers))

    def window(self) -> str:
        """struct conv_window of firmware/lib/engine/kernels/convolution.h."""
        return f"{{{self._walk()}, {self.x.zero_points[0]}}}"

    def rescaling(self) -> list[Constant]:
        """Tables per output channel."""
        if self.wide:
            return [Constant("bias", "int64_t", self.bias), *self.wide.tables()]
        return [
            Constant("bias", "int32_t", self.bias),
            Constant("multipliers", "int32_t", [encode_multiplier(m) for m in self.multipliers]),
            Constant("shifts", "int8_t", [encode_shift(s) for s in self.shifts]),
        ]

    def rescaling_parameters(self, prefix: str) -> dict[str, str]:
        """What the general kernels take: `rescaling`, or for int8 all of it instead of `rounding`."""
        bias = {"bias": f"{prefix}_bias"}
        if self.wide:
            return bias | {"rescaling": self.wide.parameters(prefix, 0, self.clamp)}
        return bias | {
            "zero_point": str(self.y.zero_points[0]),
            "clamp_min": str(self.clamp[0]),
            "clamp_max": str(self.clamp[1]),
            "multipliers": f"{prefix}_multipliers",
            "shifts": f"{prefix}_shifts",
        }


class LaidOutConvolution(Convolution):
    """One whose kernels go over an image of int8 in one of several ways, of which `lay_out` chooses the cheapest.
    `layout`: None where the sums are of int16, or the image is covered once."""

    layout: Pairs | Planes | None = None
    shunned = ""  # a kernel, or a macro of one, that it does not take, see `without`

    @property
    def kernel_macros(self) -> tuple[str, ...]:  # type: ignore[override]  # it follows from the layout
        return self.layout.kernel_macros if self.layout and self.kernel == self.layout.kernel else ()

    @abstractmethod
    def lay_out(self, like: Op | None = None) -> None:
        """Sets `layout` and `kernel`; `like`: such as have the tables of that one."""

    @staticmethod
    def best(layouts: Sequence[Pairs | Planes]) -> Pairs | Planes:
        """The cheapest, or one whose output may lie over the input for a little more."""
        return min(layouts, key=lambda layout: layout.cost * (1 + NEAR_WORTH * layout.is_far))

    def without(self, name: str) -> Self | None:
        """The same with another kernel than this one, or without one of its macros, where there is such."""
        if self.layout is None:
            return None
        op = self.copied()
        op.shunned = name
        op.lay_out()
        return op if name not in (op.kernel, *op.kernel_macros) else None

    def chosen(self, layouts: Sequence[Pairs | Planes], like: Op | None) -> Pairs | Planes:
        """The best of them that has the tables of `like` and no kernel that is shunned, if there is another one."""
        if isinstance(like, LaidOutConvolution) and like.layout:
            alike = [layout for layout in layouts if layout.kind == like.layout.kind]
            return self.best(alike or [layout for layout in layouts if layout.kernel == like.kernel])
        others = [layout for layout in layouts if self.shunned not in (layout.kernel, *layout.kernel_macros)]
        return self.best(others or layouts)

    def without_strip(self) -> Self | None:
        """The same by pairs of channels, without a copy of the rows under an output row; None: that is no smaller."""
        if self.wide or not isinstance(self.layout, Pairs) or not self.layout.strip:
            return None
        op = self.copied()
        op.stripless = True
        op.lay_out(self)
        return op if op.scratch_bytes < self.scratch_bytes else None

    @property
    def row_walk(self) -> RowWalk | None:
        if self.layout is None or self.batches > 1 or self.takes_remainders:
            return None
        reach = (self.kernel_height - 1) * self.dilations[0] + 1
        return RowWalk(self.height, self.out_height, self._on_rows, self.strides[0], reach, self.pads[0])

    def _on_rows(self, part: RowPart, like: Op | None) -> LaidOutConvolution:
        op = self.copied()
        op.height, op.out_height, op.pads = part.inputs, part.outputs, (part.pad, self.pads[1])
        op.lay_out(like)
        return op

    @property
    def takes_remainders(self) -> bool:
        """Whether kernel conv_planes_s8 goes over the image once for each remainder of a dilation."""
        return isinstance(self.layout, Planes) and self.layout.x.dilation > 1
