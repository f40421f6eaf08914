# SPDX-License-Identifier: Apache-2.0
"""Several tensors as the bytes that travel: all inputs of a model, or all outputs, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.arithmetic import at_end, dequantize, quantize, saturates
from tinyproof.core.tflite.dtypes import pack, unpack

N = TypeVar("N", int, float)


@dataclass(frozen=True)
class TensorLayout:
    """Values are those of all elements of all tensors, in their order; reals are what they stand for."""

    tensors: tuple[TensorSpec, ...]

    @property
    def size_bytes(self) -> int:
        """What they take together."""
        return sum(tensor.bytes for tensor in self.tensors)

    @property
    def elements(self) -> int:
        """How many values they hold together."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def types(self) -> str:
        """What a device says of them: "int8", or "int8,uint8" for two tensors."""
        return ",".join(tensor.dtype for tensor in self.tensors)

    def values(self, content: bytes) -> tuple[int, ...]:
        """The elements that `content` holds; an incomplete last tensor gives those that are whole."""
        values: list[int] = []
        for tensor in self.tensors:
            size = tensor.bytes // tensor.elements
            part, content = content[: tensor.bytes], content[tensor.bytes :]
            values += unpack(part[: len(part) // size * size], tensor.dtype)
        return tuple(values)

    def content(self, values: Sequence[int]) -> bytes:
        """The reverse of `values`."""
        parts = []
        for tensor, mine in self._shares(values):
            parts.append(pack(list(mine), tensor.dtype))
        return b"".join(parts)

    def quantize(self, reals: Sequence[float]) -> tuple[int, ...]:
        """As the device does it: float32, ties away from zero, clamped to each tensor's type."""
        return self._each(reals, lambda tensor, x: quantize(x, tensor.scale, tensor.zero_point, tensor.dtype))

    def dequantize(self, values: Sequence[int]) -> list[float]:
        """What values stand for, in float32."""
        return [dequantize(q, tensor.scale, tensor.zero_point) for tensor, mine in self._shares(values) for q in mine]

    def saturates(self, reals: Sequence[float]) -> bool:
        """Whether `quantize` clamps any of them."""
        return any(
            saturates(x, tensor.scale, tensor.zero_point, tensor.dtype)
            for tensor, mine in self._shares(reals)
            for x in mine
        )

    def at_end(self, values: Sequence[int]) -> bool:
        """Whether any stands at an end of its type, where the truth may lie beyond."""
        return any(at_end(q, tensor.zero_point, tensor.dtype) for tensor, mine in self._shares(values) for q in mine)

    def _each(self, reals: Sequence[float], convert: Callable[[TensorSpec, float], int]) -> tuple[int, ...]:
        return tuple(convert(tensor, x) for tensor, mine in self._shares(reals) for x in mine)

    def _shares(self, values: Sequence[N]) -> Iterable[tuple[TensorSpec, Sequence[N]]]:
        start = 0
        for tensor in self.tensors:
            yield tensor, values[start : start + tensor.elements]
            start += tensor.elements
