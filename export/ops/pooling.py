# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D over [batch, height, width, channels]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant, Op
from tinyproof.export.ops.elementwise import SUFFIXES

SAME, VALID = 0, 1
MAX_WINDOW = 1 << 16  # elements
MAX_AVERAGED = {"int8": MAX_WINDOW, "int16": 32_766}  # keeps divisions exact
MAX_COUNTS = 4096


@dataclass(frozen=True)
class Axis:
    """One spatial dimension: sizes, and the padding before the first element (kernels/padding.h)."""

    size: int
    filter: int
    stride: int
    outputs: int
    padding: int

    @classmethod
    def of(cls, size: int, window: int, stride: int, padding: int) -> Axis:
        outputs = -(-size // stride) if padding == SAME else max((size + stride - window) // stride, 0)
        return cls(size, window, stride, outputs, max((outputs - 1) * stride + window - size, 0) // 2)

    def counts(self) -> set[int]:
        """How many elements the windows cover, without padding. At most `filter` starts differ from the inner ones."""
        edges = {*range(min(self.outputs, self.filter)), *range(max(0, self.outputs - self.filter), self.outputs)}
        starts = [position * self.stride - self.padding for position in edges]
        return {min(start + self.filter, self.size) - max(start, 0) for start in starts}

    @property
    def never_ahead(self) -> bool:
        """Window k starts at element k or later, so that writing answer k spares what is still to be read."""
        return self.outputs == 1 or self.stride - self.padding >= 1


class _Pool(Op):
    """Input and output share one quantization; the fused activation clamps."""

    max_version = 3
    family: ClassVar[str]  # of kernels, one for each type

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.activation(operator.inputs, 0, "input", ("int8", "int16"))
        self.y = self.activation(operator.outputs, 0, "output", (self.x.dtype,))
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        option = operator.options
        window = (option.get("filter_height", 0), option.get("filter_width", 0))
        stride = (option.get("stride_h", 0), option.get("stride_w", 0))
        padding = option.get("padding", SAME)
        if len(self.x.shape) != 4 or 0 in self.x.shape:
            raise self.refuse(f"input {list(self.x.shape)} must be [batch, height, width, channels]")
        if min(*window, *stride) < 1 or padding not in (SAME, VALID) or window[0] * window[1] > MAX_WINDOW:
            raise self.refuse(f"window {window} with stride {stride} is not supported; supported are 1 to {MAX_WINDOW}")
        batches, height, width, channels = self.x.shape
        self.rows = Axis.of(height, window[0], stride[0], padding)
        self.columns = Axis.of(width, window[1], stride[1], padding)
        if self.y.shape != (batches, self.rows.outputs, self.columns.outputs, channels) or 0 in self.y.shape:
            raise self.refuse(f"output {list(self.y.shape)} does not follow from input {list(self.x.shape)}")
        if abs(self.x.scales[0] - self.y.scales[0]) > 1e-6 or self.x.zero_points != self.y.zero_points:
            raise self.refuse("changes the scale or the zero point, which pooling must not")
        self.clamp = self.fused_clamp(self.y)
        self.kernel = f"{self.family}_{SUFFIXES[self.x.dtype]}"

    @property
    def in_place(self) -> bool:
        return self.rows.never_ahead and self.columns.never_ahead

    def constants(self) -> list[Constant]:
        return []

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {"batches": self.x.shape[0], "channels": self.x.shape[3]}
        for name, axis in (("height", self.rows), ("width", self.columns)):
            numbers |= {
                f"input_{name}": axis.size,
                f"output_{name}": axis.outputs,
                f"filter_{name}": axis.filter,
                f"stride_{name}": axis.stride,
                f"padding_{name}": axis.padding,
            }
        numbers |= {"clamp_min": self.clamp[0], "clamp_max": self.clamp[1]}
        return {name: str(value) for name, value in numbers.items()}


class MaxPool(_Pool):
    names = ("MAX_POOL_2D",)
    code_bytes = 330
    family = "max_pool"


class AveragePool(_Pool):
    """TFLM divides by the number of elements that a window covers. Here that is a multiplication by a reciprocal."""

    names = ("AVERAGE_POOL_2D",)
    code_bytes = 420
    family = "average_pool"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        if self.rows.filter * self.columns.filter > MAX_AVERAGED[self.x.dtype]:
            raise self.refuse(
                f"averages windows of {self.rows.filter * self.columns.filter:,} elements; of {self.x.dtype} "
                f"{MAX_AVERAGED[self.x.dtype]:,} are supported"
            )
        counts = sorted({high * wide for high in self.rows.counts() for wide in self.columns.counts()})
        self.first_count, last = counts[0], counts[-1]
        if last - self.first_count >= MAX_COUNTS:
            raise self.refuse(
                "its windows at the border cover too many different numbers of elements; use VALID padding"
            )
        every = range(self.first_count, last + 1)
        self.reciprocals = [reciprocal(count) if count in counts else (0, 0) for count in every]

    def constants(self) -> list[Constant]:
        return [
            Constant("reciprocals", "uint32_t", [number for number, _ in self.reciprocals]),
            Constant("shifts", "uint8_t", [shift for _, shift in self.reciprocals]),
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        tables = {table.suffix: f"{prefix}_{table.suffix}" for table in self.constants()}
        return super().parameters(prefix) | {"first_count": str(self.first_count)} | tables


def reciprocal(count: int) -> tuple[int, int]:
    """(number, shift) such that m // count = (m * number >> 31) >> shift for 0 <= m <= L * count < 2^30.

    number = ceil(2^(31 + shift) / count) is too large by e / count with e < count, so the quotient is right while
    m * e < 2^(31 + shift): L * count * count < 2^(31 + shift), where 2^shift > count / 2. L is 129 for int8 and 32,769
    for int16, half a count being added to sums.
    """
    shift = count.bit_length() - 1
    return -(-(1 << (31 + shift)) // count), shift
