# SPDX-License-Identifier: Apache-2.0
"""CONV_2D: y_q = clamp(zero_point + requantize(bias + sum over the kernel and channels (x_q - x_zero_point) w_q))."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops import conv_access, mve
from tinyproof.export.ops.access import AccessOrder
from tinyproof.export.ops.base import Constant, MveForm, Op
from tinyproof.export.ops.conv_pairs import Pairs
from tinyproof.export.ops.conv_planes import Planes
from tinyproof.export.ops.convolution import LaidOutConvolution
from tinyproof.export.ops.dense import MIN_PAIRED_WEIGHTS, Dense

MAX_ELEMENTS = 16 << 20  # of weights; those of groups are written out with zeros


class Conv2D(LaidOutConvolution):
    """Weights [output channels, height, width, input channels]."""

    names = ("CONV_2D",)
    code_bytes = 900
    max_version = 8
    channel_dimension = 0

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.depth = len(self.rows[0])
        self.layout: Pairs | Planes | None = None
        self.dense: Dense | None = None
        if self._is_one_product:
            self.dense = Dense(1, tuple(self.rows))
            self.kernel = self.dense.kernel
        elif self.wide:
            self.kernel = "conv_rows_s16" if self.wide.suits_rows else "conv_s16"
        else:
            self.lay_out()

    def lay_out(self, like: Op | None = None) -> None:
        layouts: list[Pairs | Planes] = [self.pairs(), *self.pairs_by_columns(), *self.planes(1)]
        self.layout = self.chosen(layouts, like)
        self.kernel = self.layout.kernel

    def narrow(self) -> Conv2D | None:
        return self.without_strip()

    @property
    def cost(self) -> int:
        return self.layout.cost if self.layout else super().cost

    @property
    def _is_one_product(self) -> bool:
        """Whether the kernel covers a small image, once: streaming layers that see a frame at a time."""
        return (
            not self.wide
            and self.y.elements == self.channels_out
            and (self.kernel_height, self.kernel_width) == (self.height, self.width)
            and self.dilations == (1, 1)
            and not any(self.pads)
            and self.depth * self.channels_out < MIN_PAIRED_WEIGHTS
        )

    def row(self, channel: int) -> tuple[int, ...]:
        depth = len(self.weights) // self.channels_out
        own = self.weights[channel * depth : (channel + 1) * depth]
        if self.weights_shape[3] == self.channels_in:
            return own
        # Of a group of input channels: the others have weights of 0, so that kernels need to know of no groups.
        step = self.weights_shape[3]
        group = channel * (self.channels_in // step) // self.channels_out
        before, after = (0,) * (group * step), (0,) * (self.channels_in - (group + 1) * step)
        taps = (own[start : start + step] for start in range(0, depth, step))
        return tuple(weight for tap in taps for weight in (*before, *tap, *after))

    def output_channels(self, channels_in: int) -> int:
        units, depth = self.weights_shape[0], self.weights_shape[3]
        if channels_in % depth or units % (channels_in // depth):
            raise self.refuse(f"weights take {depth} channels, the input has {channels_in}")
        if units * channels_in * self.kernel_height * self.kernel_width > MAX_ELEMENTS:
            raise self.refuse("is too large for a microcontroller")
        return units

    @property
    def scratch_bytes(self) -> int:
        if self.wide and self.wide.suits_rows:
            return self.wide.row_scratch(self.depth, self.y.elements // self.channels_out)
        return self.layout.scratch_bytes if self.layout else 0

    @property
    def mve(self) -> MveForm | None:
        if self.wide:
            return None
        if self.dense:
            return mve.fully_connected(1, self.rows, self.scaling)
        return mve.convolution(
            self.window(), self.rows, self.scaling, direct=self.kernel_height * self.kernel_width == 1
        )

    @property
    def access_orders(self) -> list[AccessOrder]:
        if self.batches > 1 or self.dense or self.takes_remainders:
            return []
        if not self.layout:
            return conv_access.rows_s16_orders(self)
        return [*conv_access.layout_orders(self, self.layout), *conv_access.mve_conv_orders(self)]

    def constants(self) -> list[Constant]:
        if self.wide and self.wide.suits_rows:
            return self.wide.row_tables(self.rows, self.bias)
        if self.dense:
            return self.dense.constants(self.bias, self.multipliers, self.shifts)
        if self.layout:
            return self.layout.constants(self.scaling)
        return [Constant("weights", "int8_t", [w for row in self.rows for w in row]), *self.rescaling()]

    def parameters(self, prefix: str) -> dict[str, str]:
        if self.dense:
            factors = (self.multipliers, self.shifts)
            return self.dense.parameters(prefix, factors, self.y.zero_points[0], self.clamp)
        if self.layout:
            return self.layout.parameters(prefix, self.x.zero_points[0], self.scaling)
        head = {"window": self.window(), "units": str(self.channels_out)}
        if self.wide and self.wide.suits_rows:
            return head | self.wide.row_members(prefix, self.depth, 0, self.clamp)
        return head | self.rescaling_parameters(prefix) | {"weights": f"{prefix}_weights"}
