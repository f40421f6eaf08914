# SPDX-License-Identifier: Apache-2.0
"""What kernels see of an operator, and the arithmetic that they share: arithmetic.py's, for whole arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyproof.core.reference.memory import Memory
from tinyproof.core.tflite.arithmetic import (
    MAX_WIDE_SHIFT,
    activation_range,
    quantize_multiplier,
    reduce_multiplier,
)
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Operator, Tensor
from tinyproof.core.tflite.schema import ACTIVATIONS

Array = npt.NDArray[np.int64]
Kernel = Callable[..., Array | list[Array]]

KERNELS: dict[str, Kernel] = {}


def computes(*names: str) -> Callable[[Kernel], Kernel]:
    """Registers the function as what these operators of the schema compute.

    It takes a BoundOperator and the values of its inputs in the shapes of their tensors (None where one is left out),
    and returns the output's values, or a list of them. Inputs that a file names beyond those are left out, as TFLite
    Micro never looks at them.
    """

    def register(kernel: Kernel) -> Kernel:
        kinds = [parameter.kind for parameter in inspect.signature(kernel).parameters.values()]
        taken = None if inspect.Parameter.VAR_POSITIONAL in kinds else len(kinds) - 1

        @wraps(kernel)
        def compute(op: BoundOperator, *values: Array | None) -> Array | list[Array]:
            return kernel(op, *values[:taken])

        KERNELS.update(dict.fromkeys(names, compute))
        return kernel

    return register


@dataclass(frozen=True)
class BoundOperator:
    """An operator with its tensors, without those that are left out.

    `private` is a place where it may keep what it needs in the next inference; `run_subgraph` computes the outputs of
    another subgraph from its number and the values of its inputs.
    """

    operator: Operator
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    memory: Memory
    private: dict[str, Any]
    run_subgraph: Callable[[int, list[Array]], list[Array]]
    all_tensors: tuple[Tensor, ...]

    def place(self, index: int) -> Tensor | None:
        """The tensor at place `index` of the operator's own list of inputs, where left-out ones count."""
        inputs = self.operator.inputs
        return self.all_tensors[inputs[index]] if index < len(inputs) and inputs[index] != -1 else None

    @property
    def x(self) -> Tensor:
        return self.inputs[0]

    @property
    def y(self) -> Tensor:
        return self.outputs[0]

    def option(self, name: str, default: int = 0) -> int:
        """`default` where the file has no options for this operator, as TFLite Micro reads it."""
        return self.operator.options.get(name, default)

    def centred(self, values: Array, place: int = 0) -> Array:
        """q - zero_point of input number `place`."""
        return values - self.inputs[place].zero_points[0]

    def clamp(self, values: Array) -> Array:
        """To the range of the output's type, or to what the fused activation leaves of it."""
        activation = ACTIVATIONS[self.option("fused_activation_function")]
        scale, zero_point = self.y.scales[0], self.y.zero_points[0]
        return np.clip(values, *activation_range(activation, scale, zero_point, self.y.dtype))

    def finish(self, values: Array) -> Array:
        """Centred values of the output as its bytes."""
        return self.clamp(values + self.y.zero_points[0])


def to_type(values: Array, dtype: str) -> Array:
    """Clamped to the range of a type."""
    return np.clip(values, DTYPES[dtype].low, DTYPES[dtype].high)


def wrap(values: Array, bits: int = 32) -> Array:
    """To signed integers of 8, 16 or 32 bits, around 2^bits."""
    return values.astype(f"int{bits}").astype(np.int64)


def rescale(values: Array, *reals: float) -> Array:
    """MultiplyByQuantizedMultiplier, with one factor for all or one for each place of the last dimension."""
    multipliers, shifts = np.array([quantize_multiplier(real) for real in reals], np.int64).T
    return multiply(values, multipliers, shifts)


def multiply(values: Array, multiplier: Array | int, shift: Array | int) -> Array:
    """arithmetic.requantize for arrays. Raises OverflowError where TFLite Micro's 32 bits would not do."""
    left, right = np.maximum(shift, 0), np.maximum(np.negative(shift), 0)
    if np.any(left > 31):
        raise OverflowError
    shifted = in_32_bits(in_32_bits(values) << left)
    return rounding_shift_right((shifted * multiplier + 2**30) >> 31, right)


def rescale_wide(values: Array, *reals: float) -> Array:
    """The same for sums of 64 bits, as 16-bit activations have them: a multiplier of 15 bits and one rounding."""
    pairs = [quantize_multiplier(real) for real in reals]
    if any(shift > MAX_WIDE_SHIFT for _, shift in pairs) or np.abs(values).max(initial=0) >= 2**47:
        raise OverflowError
    multipliers = np.array([reduce_multiplier(multiplier) for multiplier, _ in pairs], np.int64)
    shifts = np.array([15 - shift for _, shift in pairs], np.int64)
    return in_32_bits((values * multipliers + (1 << (shifts - 1))) >> shifts)


def rounding_shift_right(values: Array, exponent: Array | int) -> Array:
    """RoundingDivideByPOT: ties away from zero."""
    half = np.left_shift(1, exponent) >> 1
    shifted: Array = (values + half - ((values < 0) & (half > 0))) >> exponent
    return shifted


def in_32_bits(values: Array) -> Array:
    if np.any((values < -(2**31)) | (values >= 2**31)):
        raise OverflowError
    return values


def each(values: Array, answer: Callable[[int], int]) -> Array:
    """A function of one number, computed once for each that occurs."""
    numbers, places = np.unique(values, return_inverse=True)
    return np.array([answer(int(number)) for number in numbers], np.int64)[places].reshape(values.shape)


def integers(numbers: Iterable[int | np.int64]) -> tuple[int, ...]:
    return tuple(int(number) for number in numbers)
