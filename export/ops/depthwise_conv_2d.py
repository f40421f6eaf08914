# SPDX-License-Identifier: Apache-2.0
"""DEPTHWISE_CONV_2D: every input channel makes `multiplier` output channels of its own; else as CONV_2D."""

from __future__ import annotations

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.convolution import Convolution
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift
from tinyproof.export.ops.simd_packing import ORDER, halves

TAPS_GROUP = 3  # taps that the kernel takes at a time


class DepthwiseConv2D(Convolution):
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
        self.quads = self.plain_requantization and self.multiplier == 1 and self.channels_in % 4 == 0
        self.kernel = "depthwise_quads_s8" if self.quads else "depthwise_conv_s8"
        if self.wide:
            self.kernel = "depthwise_conv_s16"

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
        return 4 * self.padded_taps + self.channels_in if self.quads else 0

    def _quads(self) -> list[int]:
        """The table of kernels/depthwise_quads_parameters.h."""
        table: list[int] = []
        taps = [row + (0,) * (-len(row) % TAPS_GROUP) for row in self.rows]
        for start in range(0, self.channels_out, 4):
            quad = range(start, start + 4)
            numbers = [self.bias[c] for c in quad]
            table += [half for number in numbers for half in halves(number)]
            table += [weight for tap in zip(*(taps[start + place] for place in ORDER), strict=True) for weight in tap]
            numbers = [encode_multiplier(self.multipliers[c]) for c in quad]
            numbers += [encode_shift(self.shifts[c]) for c in quad]
            table += [half for number in numbers for half in halves(number)]
        return table

    def constants(self) -> list[Constant]:
        if self.quads:
            return [Constant("quads", "int16_t", self._quads(), alignment=4)]
        taps = [weight for tap in zip(*self.rows, strict=True) for weight in tap]
        return [Constant("weights", "int8_t", taps), *self.rescaling()]

    def parameters(self, prefix: str) -> dict[str, str]:
        head = {"window": self.window()}
        if not self.quads:
            tables = {"weights": f"{prefix}_weights"}
            return head | {"multiplier": str(self.multiplier)} | self.rescaling_parameters(prefix) | tables
        rounding = str(1 + 2 * self.y.zero_points[0])
        return head | {"taps": str(self.padded_taps), "rounding": rounding, "quads": f"{prefix}_quads"}
