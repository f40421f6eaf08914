# SPDX-License-Identifier: Apache-2.0
"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes under another shape, so nothing happens on the device."""

from __future__ import annotations

from typing import ClassVar

from tinyproof.export.ops.moving import WHOLE_BYTES, element_bytes
from tinyproof.export.ops.strided import Strided, Walk


class _Reshaped(Strided):
    """Output and input share their memory. The new shape is the output tensor's."""

    max_version = 2
    types: ClassVar[tuple[str, ...]] = WHOLE_BYTES
    input_count = 1

    def prepare(self) -> Walk:
        if self.x.elements != self.y.elements:
            raise self.refuse(f"cannot make {list(self.y.shape)} of {list(self.x.shape)}")
        self.check_new_shape()
        return [(self.x.elements, element_bytes(self.x))]

    def check_new_shape(self) -> None:
        """Raises InputFileError for what TFLite Micro refuses."""


class Reshape(_Reshaped):
    """A second input, the shape, says nothing beyond what the output's does, even where it is computed."""

    names = ("RESHAPE",)
    max_version = 1
    optional_count = 1


class Squeeze(_Reshaped):
    names = ("SQUEEZE",)


class ExpandDims(_Reshaped):
    names = ("EXPAND_DIMS",)
    max_version = 1
    types = ("int8", "int16")
    input_count = 2

    def check_new_shape(self) -> None:
        axis = self.fixed(1, "axis")
        if len(axis) != 1:
            raise self.refuse("takes one axis")
        place = self.axis(axis[0], len(self.x.shape) + 1)
        self.check_shape(self.y, (*self.x.shape[:place], 1, *self.x.shape[place:]))
