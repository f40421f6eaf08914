# SPDX-License-Identifier: Apache-2.0
"""What CONV_2D and DEPTHWISE_CONV_2D check and compute alike: geometry, rescaling per output channel, bounds."""

from __future__ import annotations

import struct
from abc import abstractmethod
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import INT32_MAX, quantize_multiplier
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.requantize_encoding import encode_multiplier, encode_shift

MAX_REAL_MULTIPLIER = 2.0**30 - 1  # kernels shift left by at most 30 bits
SAME, VALID = 0, 1
INT8_RANGE = (-128, 127)


class Convolution(Op):
    """Input [batches, height, width, channels], int8; weights symmetric, one scale for all or one per output channel.

    The input's zero point is folded into the bias, bias - x_zero_point * sum(w), and stands for the input outside of
    the image: so padding is exact and kernels multiply raw bytes.
    """

    channel_dimension: ClassVar[int]  # of the weights: the output channels

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input")
        self.y = self.activation(operator.outputs, 0, "output")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        self._read_weights()
        self._read_geometry()
        self.clamp = self.fused_clamp(self.y)
        bias = self._read_bias()
        self.rows = [self.row(channel) for channel in range(self.channels_out)]
        self.bias = [b - self.x.zero_points[0] * sum(row) for b, row in zip(bias, self.rows, strict=True)]
        self._read_multipliers()
        self._check_overflow(bias)

    @abstractmethod
    def row(self, channel: int) -> tuple[int, ...]:
        """The weights of one output channel."""

    @abstractmethod
    def output_channels(self, channels_in: int) -> int:
        """Checks the weights' shape against the input's channels."""

    def _read_weights(self) -> None:
        weights = self.tensor(self.operator.inputs, 1, "weights")
        self.check_int8(weights, "weights")
        if weights.data is None or len(weights.shape) != 4 or 0 in weights.shape:
            raise self.refuse(f"weights {weights.label} must be a constant of four dimensions")
        self.weights_shape = weights.shape
        self.weights = struct.unpack(f"<{weights.elements}b", weights.data)
        self.weight_scales = weights.scales
        if not weights.scales or any(weights.zero_points):
            raise self.refuse(f"weights {weights.label} need scales, and zero points of 0")
        if len(weights.scales) > 1 and weights.quantized_dimension != self.channel_dimension:
            raise self.refuse(f"weights {weights.label} have scales along a dimension that is not the output channels'")

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
        self.pads = tuple(pads)
        if self.y.shape != (self.batches, *sizes, self.channels_out):
            raise self.refuse(f"output {list(self.y.shape)} is not {[self.batches, *sizes, self.channels_out]}")
        if self.x.elements > INT32_MAX or max(*self.strides, *self.dilations, *self.weights_shape) > 0xFFFF:
            raise self.refuse("is too large for a microcontroller")

    def _read_bias(self) -> tuple[int, ...]:
        bias = self.optional(self.operator.inputs, 2)
        if bias is None:
            return (0,) * self.channels_out
        if bias.dtype != "int32" or bias.data is None or bias.elements != self.channels_out:
            raise self.refuse(f"bias {bias.label} must be a constant of {self.channels_out} int32")
        return struct.unpack(f"<{self.channels_out}i", bias.data)

    def _read_multipliers(self) -> None:
        """TFLM takes the product of scales in double here, for one scale as for many (kernel_util.cc)."""
        if len(self.weight_scales) not in (1, self.channels_out):
            raise self.refuse(f"weights have {len(self.weight_scales)} scales for {self.channels_out} output channels")
        scales = self.weight_scales if len(self.weight_scales) > 1 else self.weight_scales * self.channels_out
        reals = [self.x.scales[0] * scale / self.y.scales[0] for scale in scales]
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
    def plain_requantization(self) -> bool:
        """What the fast kernels take for granted: every shift goes to the right, and the clamp is that of int8."""
        return max(self.shifts) < 0 and self.clamp == INT8_RANGE

    @property
    def macs(self) -> int:
        return self.y.elements // self.channels_out * sum(map(len, self.rows))

    def window(self) -> str:
        """struct conv_window of firmware/lib/engine/kernels/convolution.h."""
        numbers = (
            *(self.batches, self.height, self.width, self.channels_in, *self.y.shape[1:3]),
            *(self.kernel_height, self.kernel_width, *self.strides, *self.dilations, *self.pads),
            self.x.zero_points[0],
        )
        return f"{{{', '.join(map(str, numbers))}}}"

    def rescaling(self) -> list[Constant]:
        """Tables per output channel."""
        return [
            Constant("bias", "int32_t", self.bias),
            Constant("multipliers", "int32_t", [encode_multiplier(m) for m in self.multipliers]),
            Constant("shifts", "int8_t", [encode_shift(s) for s in self.shifts]),
        ]

    def rescaling_parameters(self) -> dict[str, str]:
        """What the general kernels take instead of `rounding`."""
        return {
            "zero_point": str(self.y.zero_points[0]),
            "clamp_min": str(self.clamp[0]),
            "clamp_max": str(self.clamp[1]),
        }
