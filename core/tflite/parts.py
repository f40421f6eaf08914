# SPDX-License-Identifier: Apache-2.0
"""Which part of a tensor of the .tflite a device computes: all of it, or some channels along its last dimension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class TensorPart:
    """Of tensor number `index`. `kept`: its channels that are computed, None where all are; there are `width` of them,
    of `element_bytes` each."""

    index: int
    kept: tuple[int, ...] | None = None
    width: int = 1
    element_bytes: int = 1

    def of(self, whole: bytes) -> bytes:
        """Cut out of the tensor's bytes."""
        if self.kept is None:
            return whole
        size = self.element_bytes
        return b"".join(whole[start : start + size] for start in self._starts(len(whole)))

    def into(self, whole: bytes, content: bytes) -> bytes:
        """The tensor's bytes with `content` in the place of what `of` cuts out."""
        if self.kept is None:
            return content
        changed, size = bytearray(whole), self.element_bytes
        for place, start in enumerate(self._starts(len(whole))):
            changed[start : start + size] = content[place * size : (place + 1) * size]
        return bytes(changed)

    def _starts(self, size: int) -> Iterator[int]:
        row = self.element_bytes * self.width
        return (start + self.element_bytes * channel for start in range(0, size, row) for channel in self.kept or ())
