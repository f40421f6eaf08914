# SPDX-License-Identifier: Apache-2.0
"""MAXIMUM and MINIMUM: of the numbers as they stand, since TFLite Micro ignores their scales."""

from __future__ import annotations

from tinyproof.export.ops.elementwise import SUFFIXES, Elementwise


class Extreme(Elementwise):
    """reference/maximum_minimum.h."""

    names = ("MAXIMUM", "MINIMUM")
    max_version = 4
    types = ("int8", "int16", "int32", "int64")
    quantized_types = ()

    def prepare(self) -> None:
        self.kernel = f"extreme_{SUFFIXES[self.dtype]}"

    def numbers(self) -> dict[str, int]:
        return {"largest": int(self.operator.name == "MAXIMUM")}
