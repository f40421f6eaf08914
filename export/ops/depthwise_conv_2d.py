# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D: every input channel makes `multiplier` output channels of its own; else as CONV_2D."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops import conv_access, mve
from tinyproof.export.ops.access import AccessOrder
from tinyproof.export.ops.base import Constant, MveForm, Op
from tinyproof.export.ops.conv_pairs import Pairs
from tinyproof.export.ops.conv_planes import Planes, quads_cost
from tinyproof.export.ops.convolution import LaidOutConvolution
from tinyproof.export.ops.mve import Inside
from tinyproof.export.ops.one_rounding import unit_factors
from tinyproof.export.ops.simd_packing import ORDER, PAIR_SHIFTS_LEFT, halves

TAPS_GROUP = 3  # taps that the kernel takes at a time
QUADS, QUAD = "depthwise_quads_s8", 4  # the kernel of channels in fours
# With several output channels for an input channel, the MVE kernel is CONV_2D's; beyond these, zeros take much flash.
MAX_SPREAD_WEIGHTS = 1 << 14


class DepthwiseConv2D(LaidOutConvolution):
    """Weights [1, height, width, output channels]; output channel c reads input channel c // multiplier."""

    names = ("DEPTHWISE_CONV_2D",)
    code_bytes = 900
    max_version = 7
    channel_dimension = 3
    bias_types = ("int64",)  # TFLM reads another as int64, beyond its end

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if (
            len(operator.inputs) > 2 and operator.inputs[2] == -1
        ):  # TFLM, here and on a board, then reads a null pointer
            raise self.refuse("names a bias that is left out, which crashes TFLite Micro; give it a bias of zeros")
        self.multiplier = self.channels_out // self.channels_in
        self.quads = False
        self.layout: Pairs | Planes | None = None
        if self.wide:
            self.quads = self.multiplier == 1 and self.channels_in % QUAD == 0 and self.wide.suits_rows
            self.kernel = "depthwise_quads_s16" if self.quads else "depthwise_conv_s16"
            return
        self.lay_out()

    def lay_out(self, like: Op | None = None) -> None:
        layouts: list[Pairs | Planes] = [*self.planes(self.channels_in)]
        if self.channels_in == 1:  # it is a CONV_2D
            layouts.append(self.pairs())
        self.layout = self.chosen(layouts, like)
        pixels = self.batches * self.out_height * self.out_width
        y, x = self.axes()
        border = pixels - self.batches * y.inside * x.inside
        quads = len(self.quad_units) if self.suits_quads else 0
        self.quads_cost = quads_cost(
            *(pixels, border, self.padded_taps, quads, self.multiplier * (1 + (self.channels_in % QUAD > 0))),
            once=self.share_once,
        )
        cheaper = self.suits_quads and self.shunned != QUADS and self.quads_cost < self.layout.cost
        cheaper = cheaper or (self.suits_quads and self.shunned in (self.layout.kernel, *self.layout.kernel_macros))
        self.quads = like.quads if isinstance(like, DepthwiseConv2D) else cheaper
        self.layout_cost = self.quads_cost if self.quads else self.layout.cost
        self.kernel = QUADS if self.quads else self.layout.kernel

    @property
    def suits_quads(self) -> bool:
        """Whether the kernel of channels in fours can run it."""
        return self.channels_in >= QUAD

    @property
    def quad_units(self) -> list[range]:
        """Output channels as that kernel takes them; where some are left, the last four, of which others are there
        twice."""
        starts = [min(start, self.channels_in - QUAD) for start in range(0, self.channels_in, QUAD)]
        step = self.multiplier
        return [
            range(start * step + first, (start + QUAD) * step + first, step)
            for first in range(step)
            for start in starts
        ]

    def narrow(self) -> DepthwiseConv2D | None:
        """With the kernel that goes pixel by pixel: it needs next to no scratch, and its output may follow close behind
        its input."""
        if self.wide or self.quads or not self.suits_quads:
            return None if self.quads else self.without_strip()
        op = self.copied()
        op.kernel, op.quads, op.layout_cost = QUADS, True, self.quads_cost
        return op

    @property
    def cost(self) -> int:
        return super().cost if self.wide else self.layout_cost

    def row(self, channel: int) -> tuple[int, ...]:
        return self.weights[channel :: self.channels_out]

    def output_channels(self, channels_in: int) -> int:
        # TFLM trusts neither: it takes the multiplier from the option and reads weights by the output's channels.
        multiplier = self.operator.options.get("depth_multiplier", 0)
        if self.weights_shape[0] != 1 or self.weights_shape[3] != channels_in * multiplier:
            raise self.refuse(
                f"weights {list(self.weights_shape)} do not fit {channels_in} input channels times {multiplier}"
            )
        return self.weights_shape[3]

    @property
    def padded_taps(self) -> int:
        """The kernel's positions, filled up with weights of 0."""
        return -(-self.kernel_height * self.kernel_width // TAPS_GROUP) * TAPS_GROUP

    @property
    def scratch_bytes(self) -> int:
        if self.quads:
            return 4 * self.padded_taps + (2 if self.wide else 1) * self.channels_in
        return self.layout.scratch_bytes if self.layout else 0

    def _quads(self) -> list[int]:
        """The table of kernels/depthwise_quads_parameters.h, or of depthwise_quads_s16_parameters.h."""
        table: list[int] = []
        taps = [row + (0,) * (-len(row) % TAPS_GROUP) for row in self.rows]
        quads = self.quad_units
        if self.wide:
            order: tuple[int, ...] = (0, 1, 2, 3)
            factors = [(0, multiplier, shift) for _, multiplier, shift in self.wide.row_numbers(self.bias)]
        else:
            order, factors = ORDER, unit_factors(self.rows, self.scaling, quads)
        for place, quad in enumerate(quads):
            own = factors[QUAD * place : QUAD * (place + 1)]
            scales = [factor[1:] for factor in own]
            if not self.wide and max(self.shifts[channel] for channel in quad) >= 0:
                scales[0] = (scales[0][0], scales[0][1] | PAIR_SHIFTS_LEFT)
            biases = (self.bias[channel] + factor[0] for channel, factor in zip(quad, own, strict=True))
            table += [half for bias in biases for half in halves(bias)]
            table += [weight for tap in zip(*(taps[quad[i]] for i in order), strict=True) for weight in tap]
            table += [half for number in (0, 1) for scale in scales for half in halves(scale[number])]
        return table

    @property
    def mve(self) -> MveForm | None:
        if self.wide:
            return None
        if self.multiplier > 1 or self.channels_in == 1:
            if self.channels_in * len(self.weights) > MAX_SPREAD_WEIGHTS:
                return None
            return mve.convolution(self.window(), self._spread_rows(), self.scaling, direct=False)
        if len(self.rows[0]) > mve.MAX_DEPTHWISE_TAPS:
            return None
        rows, columns = self._inside
        kept = (self._copied_rows, self._copied_bytes) if self.in_place else (0, 0)
        own = mve.depthwise(self.window(), self.rows, self.scaling, (rows, columns), self.strides[1], kept=kept)
        if (rows.stop - rows.start) * (columns.stop - columns.start) == self.out_height * self.out_width:
            return own
        every = Inside(0, self.out_height), Inside(0, self.out_width)
        reach = (self.out_width - 1) * self.strides[1] + (self.kernel_width - 1) * self.dilations[1] + 1
        padded = mve.depthwise(
            self.window(), self.rows, self.scaling, every, self.strides[1], reach, self.kernel_height
        )
        # Not for room in the arena that no other core's kernel takes.
        return padded if padded.scratch_bytes <= self.scratch_bytes else own

    @property
    def _inside(self) -> tuple[Inside, Inside]:
        """Rows and columns of the output of whose taps none leaves the image."""
        extents = zip((self.kernel_height, self.kernel_width), self.dilations, strict=True)
        reaches = [(extent - 1) * dilation for extent, dilation in extents]
        sizes, outputs = (self.height, self.width), (self.out_height, self.out_width)
        rows, columns = map(Inside.along, outputs, sizes, reaches, self.strides, self.pads)
        return rows, columns

    @property
    def in_place(self) -> bool:
        """Where kernels go channel by channel, and copy what outputs lie over: see conv_planes_s8, and for MVE
        depthwise_mve.h."""
        if self.quads or not isinstance(self.layout, Planes) or self.layout.parts > 1 or self.channels_in == 1:
            return False
        alike = (self.height, self.width, self.channels_in) == (self.out_height, self.out_width, self.channels_out)
        plain = self.batches == 1 and self.strides == (1, 1) and self.dilations == (1, 1)
        return alike and plain and self._copied_bytes <= self.y.bytes // 2  # else there is little to gain

    @property
    def _copied_rows(self) -> int:
        """Rows of the input that are still needed where outputs lie over them."""
        return self.pads[0] + 1

    @property
    def _copied_bytes(self) -> int:
        return self._copied_rows * self.width * self.channels_in

    @property
    def replaceable_by_rows(self) -> tuple[int, ...]:
        return ()

    @property
    def access_orders(self) -> list[AccessOrder]:
        if self.batches > 1 or (self.takes_remainders and not self.quads):
            return []
        if self.layout is None or self.quads:
            orders = conv_access.pixel_orders(self)
        else:
            orders = conv_access.layout_orders(self, self.layout)
        form = self.mve
        if form and form.struct == "depthwise_mve_s8" and form.members["strip"] != "0":
            orders += conv_access.mve_padded_orders(self)
        elif form and form.struct == "depthwise_mve_s8":
            _, columns = self._inside
            orders += conv_access.mve_depthwise_orders(self, (columns.start, columns.stop), int(form.members["fold"]))
        elif form:
            orders += conv_access.mve_conv_orders(self)
        return orders

    def _spread_rows(self) -> list[list[int]]:
        """The layer as a dense convolution: weights of 0 for the other input channels."""
        spread = [[0] * (len(self.rows[0]) * self.channels_in) for _ in self.rows]
        for channel, row in enumerate(self.rows):
            spread[channel][channel // self.multiplier :: self.channels_in] = row
        return spread

    def constants(self) -> list[Constant]:
        if self.quads:
            return [Constant("quads", "int16_t", self._quads(), alignment=4)]
        if self.layout:
            return self.layout.constants(self.scaling)
        taps = [weight for tap in zip(*self.rows, strict=True) for weight in tap]
        return [Constant("weights", "int8_t", taps), *self.rescaling()]

    def parameters(self, prefix: str) -> dict[str, str]:
        zero_point = self.y.zero_points[0]
        if self.layout and not self.quads:
            layout = self.layout.parameters(prefix, self.x.zero_points[0], self.scaling)
            return layout | ({"in_place": "1"} if self.in_place else {})
        head = {"window": self.window()}
        if not self.quads:
            tables = {"weights": f"{prefix}_weights"}
            return head | {"multiplier": str(self.multiplier)} | self.rescaling_parameters(prefix) | tables
        head |= {"taps": str(self.padded_taps), "quads": f"{prefix}_quads"}
        if self.wide:
            return head | self.wide.row_parameters(0, self.clamp)
        head |= {"multiplier": str(self.multiplier)}
        numbers = {"rounding": 1 + 2 * zero_point, "clamp_min": self.clamp[0], "clamp_max": self.clamp[1]}
        return head | {name: str(value) for name, value in numbers.items()}
