# SPDX-License-Identifier: Apache-2.0
"""Which part of a tensor of the .tflite a device computes: all of it, or some channels along its last dimension."""

from __future__ import annotations

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
        size, row = self.element_bytes, self.element_bytes * self.width
        starts = (start + size * channel for start in range(0, len(whole), row) for channel in self.kept)
        return b"".join(whole[start : start + size] for start in starts)
