# SPDX-License-Identifier: Apache-2.0
"""RESIZE_BILINEAR, int8, in TFLM's integers (reference/resize_bilinear.h, ResizeBilinearInteger)."""

from __future__ import annotations

from tinyproof.core.tflite.arithmetic import INT32_MAX
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.moving import Moving

ONE = 1 << 10  # of weights
MAX_SIZE = 1 << 12  # of a side; bounds what a hostile file makes us write


class ResizeBilinear(Moving):
    """Two places and a weight for each row and column of the output."""

    names = ("RESIZE_BILINEAR",)
    types = ("int8",)
    kernel = "resize_bilinear_s8"
    code_bytes = 340
    max_version = 4

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.check_counts(2)
        self.x, self.y = self.pair()
        self.check_rank(self.x, 4, 4)
        self.batches, self.height, self.width, self.depth = self.x.shape
        self.size = self.fixed(1, "size")
        if len(self.size) != 2:
            raise self.refuse("takes a height and a width")
        self.check_shape(self.y, (self.batches, *self.size, self.depth))
        if max(*self.x.shape[1:3], *self.size) > MAX_SIZE:
            raise self.refuse(f"resizes {self.height} x {self.width} to {list(self.size)}; the most is {MAX_SIZE:,}")
        self.aligned = bool(operator.options.get("align_corners", 0))
        self.centred = bool(operator.options.get("half_pixel_centers", 0))
        if self.aligned and self.centred:
            raise self.refuse("cannot align corners and centre pixels at once; TFLite Micro refuses it too")
        self.rows = self._between(self.height, self.size[0], self.width * self.depth)
        self.columns = self._between(self.width, self.size[1], self.depth)
        self.take(self.x)
        self.outputs = (self.y.index,)

    def _between(self, size: int, count: int, step: int) -> list[int]:
        """Both places, in bytes, and the second one's weight, for each of `count`."""
        scale = (ONE * size + count // 2) // count
        if self.aligned and count > 1:
            scale = (ONE * (size - 1) + (count - 1) // 2) // (count - 1)
        numbers = []
        for place in range(count):
            scaled = place * scale + (scale // 2 - ONE // 2 if self.centred else 0)
            lower = max(scaled // ONE, 0)  # TFLM's division rounds towards 0, which the maximum makes the same
            upper = min((scaled + ONE - 1) // ONE, size - 1)
            if lower >= size or place * scale > INT32_MAX:
                raise self.refuse(f"TFLite Micro reads beyond the input where it resizes {size} to {count}")
            # Between a place and itself every weight does the same.
            numbers += [lower * step, upper * step, scaled - ONE * lower if lower != upper else 0]
        return numbers

    def constants(self) -> list[Constant]:
        return [
            *super().constants(),
            Constant("rows", "int32_t", self.rows),
            Constant("columns", "int32_t", self.columns),
        ]

    def parameters(self, prefix: str) -> dict[str, str]:
        return {
            "batches": str(self.batches),
            "batch_bytes": str(self.height * self.width * self.depth),
            "height": str(self.size[0]),
            "width": str(self.size[1]),
            "depth": str(self.depth),
            "rows": f"{prefix}_rows",
            "columns": f"{prefix}_columns",
        }
