# SPDX-License-Identifier: Apache-2.0
"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL along any set of dimensions (kernels/reduce.h)."""

from __future__ import annotations

import math
from abc import abstractmethod
from itertools import groupby
from typing import ClassVar

from tinyproof.core.tflite.arithmetic import INT32_MAX, quantize_multiplier
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Op, braces
from tinyproof.export.ops.elementwise import SUFFIXES

_LOOPS = 4  # of each kind; a tensor has at most 8 dimensions (core/tflite/reader.py)
Loops = list[tuple[int, int]]  # count and step in the input, outermost first


def reduce_loops(shape: tuple[int, ...], reduced: set[int]) -> tuple[Loops, Loops]:
    """Loops over the dimensions that are kept and over the others. Neighbours become one; those of 1 are in no way."""
    wide = [axis for axis, size in enumerate(shape) if size != 1]
    loops: dict[bool, Loops] = {False: [], True: []}
    for kind, axes in groupby(wide, key=reduced.__contains__):
        run = list(axes)
        loops[kind].append((math.prod(shape[axis] for axis in run), math.prod(shape[run[-1] + 1 :])))
    return loops[False], loops[True]


class _Reduction(Op):
    """One element of all those along the axes."""

    max_version = 3
    code_bytes = 260
    types: ClassVar[tuple[str, ...]]

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.x = self.end(operator.inputs, "input", self.types)
        self.y = self.end(operator.outputs, "output", (self.x.dtype,))
        self.inputs, self.outputs = (self.x.index,), (self.y.index,)
        shape = self.x.shape
        axes = self.integers(1, "axes", "axes")
        rank = len(shape)
        if 0 in shape or not (rank == 0 or all(-rank <= axis < rank for axis in axes)):
            raise self.refuse(f"axes {list(axes)[:8]} do not fit input {list(shape)}")
        reduced = {axis % rank for axis in axes} if rank else set()
        kept = [1 if axis in reduced else size for axis, size in enumerate(shape)]
        short = [size for axis, size in enumerate(shape) if axis not in reduced]
        expected = kept if operator.options.get("keep_dims", 0) else short
        if list(self.y.shape) != expected:
            raise self.refuse(
                f"output {list(self.y.shape)} does not follow from {list(shape)} and its axes; it is {expected}"
            )
        self.kept_loops, self.reduced_loops = reduce_loops(shape, reduced)
        self.count = math.prod(count for count, _ in self.reduced_loops)
        self.prepare()

    def end(self, indices: tuple[int, ...], role: str, types: tuple[str, ...]) -> Tensor:
        """The input or the output."""
        return self.activation(indices, 0, role, types)

    @abstractmethod
    def prepare(self) -> None:
        """Choose the kernel, turn scales into integers. Raises InputFileError for what is not supported."""

    @abstractmethod
    def numbers(self) -> dict[str, int]:
        """The kernel's parameters but for the loops."""

    @property
    def in_place(self) -> bool:
        # No element lies behind the place of its answer.
        return True

    def parameters(self, prefix: str) -> dict[str, str]:
        walk = {}
        for name, loops in (("kept", self.kept_loops), ("reduced", self.reduced_loops)):
            padded = [(1, 0)] * (_LOOPS - len(loops)) + loops
            for place, column in enumerate(("counts", "steps")):
                walk[f"{name}_{column}"] = braces([loop[place] for loop in padded])
        return walk | {name: str(value) for name, value in self.numbers().items()}


class Sum(_Reduction):
    """y_q = zero_point + rescale(sum (x_q - x_zero_point)): reference/reduce.h, QuantizedMeanOrSum."""

    names: ClassVar[tuple[str, ...]] = ("SUM",)
    types = ("int8", "int16")

    def prepare(self) -> None:
        self.kernel = f"reduce_sum_{SUFFIXES[self.x.dtype]}"
        ratio = self.x.scales[0] / self.y.scales[0]
        multiplier, shift = quantize_multiplier(ratio) if math.isfinite(ratio) else (0, 32)
        self.multiplier, self.shift = self.rescaling(multiplier, shift)
        low, high = DTYPES[self.x.dtype].low, DTYPES[self.x.dtype].high
        reach = max(high - self.x.zero_points[0], self.x.zero_points[0] - low) * self.count
        # A sum that is not shifted to the left may wrap, as TFLite Micro's does on purpose.
        reach = min(reach, INT32_MAX + 1) << max(self.shift, 0)
        scaled = reach * self.multiplier >> 31 + max(-self.shift, 0)
        if self.shift < -31 or reach > INT32_MAX + 1 or scaled > INT32_MAX - (1 << 16):
            raise self.refuse(
                f"rescales by {ratio:.3g} over {self.count:,} elements: TFLite Micro's answer leaves 32 bits; "
                "check the scales"
            )

    def rescaling(self, multiplier: int, shift: int) -> tuple[int, int]:
        """Of a sum, from those of one element."""
        return multiplier, shift

    def numbers(self) -> dict[str, int]:
        return {
            "offset": _wrapped(-self.count * self.x.zero_points[0]),
            "multiplier": self.multiplier,
            "left_shift": max(self.shift, 0),
            "right_shift": max(-self.shift, 0),
            "zero_point": self.y.zero_points[0],
            "min": DTYPES[self.y.dtype].low,
            "max": DTYPES[self.y.dtype].high,
        }


class Mean(Sum):
    """The same, with 1 / count in the multiplier."""

    names = ("MEAN",)

    def rescaling(self, multiplier: int, shift: int) -> tuple[int, int]:
        log2_count = min(self.count.bit_length() - 1, 32, 31 + shift)
        return (multiplier << log2_count) // self.count, shift - log2_count


class ReduceExtreme(_Reduction):
    """Of bytes as they stand: reference/reduce.h, ReduceGeneric."""

    names = ("REDUCE_MAX", "REDUCE_MIN")
    types = ("int8",)
    kernel = "reduce_extreme_s8"

    def prepare(self) -> None:
        if self.x.scales != self.y.scales or self.x.zero_points != self.y.zero_points:
            raise self.refuse("changes the scale or the zero point, which TFLite Micro does not take")

    def numbers(self) -> dict[str, int]:
        return {"flip": 0 if self.operator.name == "REDUCE_MAX" else -1}


class ReduceAll(_Reduction):
    """micro/kernels/reduce_common.cc, EvalAllHelper."""

    names = ("REDUCE_ALL",)
    types = ("bool",)
    kernel = "reduce_all_u8"

    def end(self, indices: tuple[int, ...], role: str, types: tuple[str, ...]) -> Tensor:
        return self.computed(indices, 0, role, types)

    def prepare(self) -> None:
        """A bool has no scale."""

    def numbers(self) -> dict[str, int]:
        return {}


def _wrapped(value: int) -> int:
    """As an int32 that overflows."""
    return (value + 2**31) % 2**32 - 2**31
