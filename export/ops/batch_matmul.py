# SPDX-License-Identifier: Apache-2.0
"""BATCH_MATMUL: products of the matrices in the last two dimensions; the dimensions before them broadcast."""

from __future__ import annotations

import math

from tinyproof.core.tflite.arithmetic import INT32_MAX, weight_multipliers
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.graph import Graph, Operator, Tensor
from tinyproof.export.ops.base import Call, Constant, Op
from tinyproof.export.ops.matrices import ByteProduct, Matrices
from tinyproof.export.ops.wide_sums import WideSums

MAX_RANK = 5


class BatchMatMul(Op):
    """Both operands int8 or both int16, computed or one of them constant; adj_x and adj_y transpose them."""

    names = ("BATCH_MATMUL",)
    code_bytes = 500
    max_version = 4

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.a = self._operand(0, "left operand", ("int8", "int16"))
        self.b = self._operand(1, "right operand", (self.a.dtype,))
        self.y = self.activation(operator.outputs, 0, "output", (self.a.dtype,))
        self.inputs = tuple(tensor.index for tensor in (self.a, self.b) if tensor.data is None)
        self.outputs = (self.y.index,)
        self.matrices = self._read_shapes()
        self.kernel = "batch_matmul_s8" if self.a.dtype == "int8" else "batch_matmul_s16"
        zero_points = (self.a.zero_points[0], self.b.zero_points[0], self.y.zero_points[0])
        (real,) = weight_multipliers(self.a.scales[0], self.b.scales[:1], self.y.scales[0])
        dtype = DTYPES[self.y.dtype]
        if self.a.dtype == "int8":
            self.product = ByteProduct(self, self.matrices, real, zero_points, (dtype.low, dtype.high))
            return
        if any(zero_points):
            raise self.refuse("TFLite Micro takes int16 with zero points of 0 only; quantize symmetrically")
        self.wide = WideSums(self, [real], [self.matrices.depth << 30], narrow=False)

    def _operand(self, place: int, role: str, types: tuple[str, ...]) -> Tensor:
        tensor = self.tensor(self.operator.inputs, place, role)
        self.check_type(tensor, role, types)
        if len(tensor.scales) != 1:
            raise self.refuse(f"{role} {tensor.label} has {len(tensor.scales)} scales; TFLite Micro reads one")
        return tensor

    def _read_shapes(self) -> Matrices:
        ranks = len(self.a.shape), len(self.b.shape)
        shapes = f"left {list(self.a.shape)}, right {list(self.b.shape)} and output {list(self.y.shape)}"
        if not 2 <= min(ranks) <= max(ranks) <= MAX_RANK or 0 in (*self.a.shape, *self.b.shape):
            raise self.refuse(f"{shapes}: TFLite Micro takes 2 to {MAX_RANK} dimensions")
        a, b = ((1,) * (MAX_RANK - len(shape)) + shape for shape in (self.a.shape, self.b.shape))
        options = self.operator.options
        adj_x, adj_y = options.get("adj_x", 0), options.get("adj_y", 0)
        depth, rows = (a[3], a[4]) if adj_x else (a[4], a[3])
        b_depth, columns = (b[4], b[3]) if adj_y else (b[3], b[4])
        batches = tuple(max(pair) for pair in zip(a[:3], b[:3], strict=True))
        fits = all(n in (1, size) and m in (1, size) for n, m, size in zip(a[:3], b[:3], batches, strict=True))
        whole = (1,) * (MAX_RANK - len(self.y.shape)) + self.y.shape
        if not fits or depth != b_depth or whole != (*batches, rows, columns):
            raise self.refuse(f"{shapes} do not fit")
        if max(self.a.elements, self.b.elements, self.y.elements) > INT32_MAX:
            raise self.refuse("is too large for a microcontroller")
        return Matrices(
            (batches[0], batches[1], batches[2]),
            _steps(a),
            _steps(b),
            rows,
            depth,
            columns,
            (1, rows) if adj_x else (depth, 1),
            (depth, 1) if adj_y else (1, columns),
        )

    @property
    def scratch_bytes(self) -> int:
        return self.matrices.scratch_bytes

    @property
    def macs(self) -> int:
        return self.matrices.macs

    def constants(self) -> list[Constant]:
        tables = [*self.operand_tables(self.a, "a"), *self.operand_tables(self.b, "b")]
        return tables + (self.product.constants() if self.kernel == "batch_matmul_s8" else self.wide.tables())

    def parameters(self, prefix: str) -> dict[str, str]:
        if self.kernel == "batch_matmul_s8":
            return self.product.parameters(prefix)
        clamp = (DTYPES["int16"].low, DTYPES["int16"].high)
        return {"matrices": self.matrices.literal(), "rescaling": self.wide.parameters(prefix, 0, clamp)}

    def calls(self, prefix: str) -> list[Call]:
        places = (self.operand_place(self.a, prefix, "a"), self.operand_place(self.b, prefix, "b"))
        return [Call(places, self.outputs, self.parameters(prefix))]


def _steps(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """From a matrix to the next along each dimension of the batch; 0 where there is one alone."""
    first, second, third = (0 if shape[i] == 1 else math.prod(shape[i + 1 :]) for i in range(3))
    return first, second, third
