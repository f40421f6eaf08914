# SPDX-License-Identifier: Apache-2.0
"""ARG_MAX, ARG_MIN and CUMSUM: along one dimension, [outer][count][inner]."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import quantize_multiplier
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.elementwise import MAX_RANK
from tinyproof.export.ops.requantize_encoding import encode

_CUMSUM_BITS = 19  # by which a sum is shifted to the left before it is rescaled
_MAX_SUM = (1 << (31 - _CUMSUM_BITS)) - 1


class _AlongAxis(Op):
    """`outer`, `count` and `inner`: the elements before the axis, along it and behind it."""

    def read_axis(self) -> None:
        """Raises InputFileError for an axis that is computed or does not exist."""
        self.x = self.activation(self.operator.inputs, 0, "input")
        shape, rank = self.x.shape, len(self.x.shape)
        axes = self.integers(1, "axis", "axes")
        if rank > MAX_RANK or 0 in shape or len(axes) != 1 or not -rank <= axes[0] < rank:
            raise self.refuse(
                f"axis {list(axes)[:8]} does not fit input {list(shape)}: one of 1 to {MAX_RANK} dimensions is needed"
            )
        self.axis = axes[0] % rank
        self.outer, self.count = math.prod(shape[: self.axis]), shape[self.axis]
        self.inner = math.prod(shape[self.axis + 1 :])

    def parameters(self, prefix: str) -> dict[str, str]:
        numbers = {"outer": self.outer, "count": self.count, "inner": self.inner} | self.numbers()
        return {name: str(value) for name, value in numbers.items()}

    def numbers(self) -> dict[str, int]:
        """What the kernel needs besides."""
        return {}


class ArgExtreme(_AlongAxis):
    """The place of the first extreme, as int32: reference/arg_min_max.h."""

    names = ("ARG_MAX", "ARG_MIN")
    max_version = 2
    code_bytes = 160
    kernel = "arg_extreme_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.read_axis()
        y = self.tensor(operator.outputs, 0, "output")
        self.check_type(y, "output", ("int32",))
        shape = self.x.shape
        if y.data is not None or y.shape != shape[: self.axis] + shape[self.axis + 1 :]:
            raise self.refuse(f"output {list(y.shape)} does not follow from {list(shape)} without axis {self.axis}")
        self.inputs, self.outputs = (self.x.index,), (y.index,)

    def numbers(self) -> dict[str, int]:
        return {"flip": 0 if self.operator.name == "ARG_MAX" else -1}


class Cumsum(_AlongAxis):
    """Of x_q - zero_point, in either direction, with the element's own value or without it: reference/cumsum.h."""

    names = ("CUMSUM",)
    max_version = 1
    code_bytes = 200
    kernel = "cumsum_s8"

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.read_axis()
        self.y = self.activation(operator.outputs, 0, "output")
        if self.y.shape != self.x.shape:
            raise self.refuse(f"output {list(self.y.shape)} and input {list(self.x.shape)} must have the same shape")
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        x_scale, zero = self.x.scales[0], self.x.zero_points[0]
        reach = self.count * max(127 - zero, 128 + zero) + abs(zero)
        if reach > _MAX_SUM:
            raise self.refuse(
                f"sums {self.count:,} elements, which may be {reach:,} steps of the input; TFLite Micro's 32 bits hold "
                f"{_MAX_SUM:,}: sum fewer"
            )
        real = 2 * x_scale / ((1 << 20) * self.y.scales[0])
        multiplier, shift = quantize_multiplier(real) if 0 < real < 1 else (0, 1)
        if shift > 0:
            raise self.refuse(f"rescales by {x_scale / self.y.scales[0]:.3g}; check the scales")
        self.rescaling = encode(multiplier, shift)

    @property
    def in_place(self) -> bool:
        return True

    def numbers(self) -> dict[str, int]:
        reverse = bool(self.operator.options.get("reverse", 0))
        return {
            "first": self.count - 1 if reverse else 0,
            "step": -self.inner if reverse else self.inner,
            "exclusive": int(bool(self.operator.options.get("exclusive", 0))),
            "input_zero_point": self.x.zero_points[0],
            "multiplier": self.rescaling[0],
            "shift": self.rescaling[1],
            "zero_point": self.y.zero_points[0],
        }
