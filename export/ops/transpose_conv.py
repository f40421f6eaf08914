# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE_CONV: every input pixel adds its products with the kernel to the output around it."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT32_MAX
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, braces
from tinyproof.export.ops.convolution import SAME, VALID, Convolution
from tinyproof.export.ops.simd_packing import ORDER


class TransposeConv(Convolution):
    """Inputs: the output's shape, weights [output channels, height, width, input channels], input, bias.

    The output's tensor says its shape: TFLite Micro never reads the first input. Taps outside of the input are
    left out, so that the input's zero point cannot be folded into the bias.
    """

    names = ("TRANSPOSE_CONV",)
    code_bytes = 700
    max_version = 5
    channel_dimension = 0
    x_place = 2
    weight_types = ("int8",)
    bias_types = ("int64", "int16")  # TFLM reads another as int64, beyond its end

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.kernel = f"transpose_rows_{'s16' if self.wide else 's8'}"
        if self.wide and max(self.wide.reaches) > INT32_MAX:
            self.kernel = "transpose_conv_s16"

    def row(self, channel: int) -> tuple[int, ...]:
        depth = len(self.weights) // self.channels_out
        return self.weights[channel * depth : (channel + 1) * depth]

    def output_channels(self, channels_in: int) -> int:
        if self.weights_shape[3] != channels_in:
            raise self.refuse(f"weights take {self.weights_shape[3]} channels, the input has {channels_in}")
        return self.weights_shape[0]

    def _read_geometry(self) -> None:
        if len(self.x.shape) != 4 or len(self.y.shape) != 4 or 0 in self.x.shape or 0 in self.y.shape:
            raise self.refuse("input and output need four dimensions: batch, height, width, channels")
        self.batches, self.height, self.width, self.channels_in = self.x.shape
        self.kernel_height, self.kernel_width = self.weights_shape[1:3]
        self.channels_out = self.output_channels(self.channels_in)
        options = self.operator.options
        self.strides = options.get("stride_h", 0), options.get("stride_w", 0)
        padding = options.get("padding", SAME)
        if min(self.strides) < 1 or padding not in (SAME, VALID):
            raise self.refuse("strides must be 1 or more, and padding SAME or VALID")
        pads = []
        kernel = (self.kernel_height, self.kernel_width)
        for size, extent, stride in zip(self.y.shape[1:3], kernel, self.strides, strict=True):
            rows = -(-size // stride) if padding == SAME else max(size + stride - extent, 0) // stride
            pads.append(max((rows - 1) * stride + extent - size, 0) // 2)  # TFLM takes the output for the image
        self.pads = (pads[0], pads[1])
        if self.y.shape[0] != self.batches or self.y.shape[3] != self.channels_out:
            raise self.refuse(f"output {list(self.y.shape)} is not [{self.batches}, ..., {self.channels_out}]")
        if self.x.elements > INT32_MAX or max(*self.strides, *self.weights_shape) > 0xFFFF:
            raise self.refuse("is too large for a microcontroller")

    @property
    def macs(self) -> int:
        return self.x.elements // self.channels_in * sum(map(len, self.rows))

    def fold(self, bias: int, row: tuple[int, ...]) -> int:
        return bias

    @property
    def scratch_bytes(self) -> int:
        """What a pixel of the first phase sees, and no other phase has more taps; whole words, which are aligned."""
        if self.kernel == "transpose_conv_s16":
            return 0
        taps = [-(-k // s) for k, s in zip((self.kernel_height, self.kernel_width), self.strides, strict=True)]
        return max(4, 2 * taps[0] * taps[1] * self.channels_in)

    def _phases(self) -> tuple[list[int], list[int]]:
        """Weights by the phase of an output pixel, and where each phase begins (kernels/transpose_rows_s8.h)."""
        weights: list[int] = []
        starts = []
        for top in range(min(self.strides[0], self.kernel_height)):
            for left in range(min(self.strides[1], self.kernel_width)):
                starts.append(len(weights))
                taps = [
                    (ky * self.kernel_width + kx) * self.channels_in
                    for ky in range(top, self.kernel_height, self.strides[0])
                    for kx in range(left, self.kernel_width, self.strides[1])
                ]
                for row in self.rows:
                    seen = [weight for tap in taps for weight in row[tap : tap + self.channels_in]]
                    whole = len(seen) // len(ORDER) * len(ORDER)
                    fours = range(0, whole, len(ORDER))
                    weights += [seen[start + place] for start in fours for place in ORDER] + seen[whole:]
        return weights, starts

    def constants(self) -> list[Constant]:
        if self.kernel == "transpose_conv_s16":
            return [Constant("weights", "int8_t", [w for row in self.rows for w in row]), *self.rescaling()]
        weights, starts = self._phases()
        bias, *others = self.rescaling()
        tables = [Constant("weights", "int8_t", weights), Constant("bias", "int32_t", bias.values), *others]
        return [*tables, Constant("starts", "int32_t", starts)]

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = (
            *(self.batches, self.height, self.width, self.channels_in, *self.y.shape[1:3]),
            *(self.kernel_height, self.kernel_width, *self.strides, *self.pads),
        )
        head = {"window": braces(numbers), "units": str(self.channels_out)}
        if self.kernel != "transpose_conv_s16":
            head |= {"phases_x": str(min(self.strides[1], self.kernel_width)), "starts": f"{prefix}_starts"}
        zero_point = {} if self.wide else {"input_zero_point": str(self.x.zero_points[0])}
        return head | zero_point | self.rescaling_parameters(prefix) | {"weights": f"{prefix}_weights"}
