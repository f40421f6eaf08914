# SPDX-License-Identifier: Apache-2.0
"""BATCH_MATMUL of any shapes: both operands computed or one constant, transposed, broadcast."""

from __future__ import annotations

import math
import random
import struct
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from support.op_cases import Case, assert_bit_exact_with_dsp_kernels
from support.op_strategies import Quantization, float32, quantizations, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model


@dataclass(frozen=True)
class Product:
    """`a_batch`, `b_batch`: the dimensions before rows, depth and columns. `constant` is "a", "b" or neither."""

    a_batch: tuple[int, ...] = ()
    b_batch: tuple[int, ...] = ()
    rows: int = 3
    depth: int = 5
    columns: int = 4
    adj_x: bool = False
    adj_y: bool = False
    constant: str = ""
    dtype: str = "int8"
    a: Quantization = (0.05, -3)
    b: Quantization = (0.01, 4)
    y: Quantization = (0.02, 5)
    seed: int = 1

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Of the operands and of the output."""
        rank = max(len(self.a_batch), len(self.b_batch))
        wide = [(1,) * (rank - len(batch)) + batch for batch in (self.a_batch, self.b_batch)]
        batch = tuple(map(max, *wide)) if rank else ()
        a = (self.depth, self.rows) if self.adj_x else (self.rows, self.depth)
        b = (self.columns, self.depth) if self.adj_y else (self.depth, self.columns)
        return (*self.a_batch, *a), (*self.b_batch, *b), (*batch, self.rows, self.columns)


def build(product: Product, outputs: tuple[int, ...] | None = None, b_type: str = "") -> bytes:
    """The product as a model of one operator; `outputs` and `b_type` differ from what follows from it."""
    r = random.Random(product.seed)
    model = Model()
    low, high = (-128, 127) if product.dtype == "int8" else (-(2**15), 2**15 - 1)
    operands = []
    for name, shape, quantization in zip("ab", product.shapes, (product.a, product.b), strict=False):
        kind = b_type or product.dtype if name == "b" else product.dtype
        if name == product.constant:
            values = [r.choice([low, high, r.randint(low, high)]) for _ in range(math.prod(shape))]
            operands.append(model.tensor(shape, *quantization, values, kind))
        else:
            operands.append(model.input(shape, *quantization, dtype=kind))
    target = model.tensor(outputs or product.shapes[2], *product.y, dtype=product.dtype)
    model.add("BATCH_MATMUL", operands, [target], 2, adjX=product.adj_x, adjY=product.adj_y)
    return model.build(target)


def edges(product: Product) -> tuple[bytes, ...]:
    """Each operand at either end, and random ones."""
    r = random.Random(product.seed)
    letter, low, high = ("b", -128, 127) if product.dtype == "int8" else ("h", -(2**15), 2**15 - 1)
    sizes = [math.prod(shape) for name, shape in zip("ab", product.shapes, strict=False) if name != product.constant]
    ends = [[r.choice([low, high])] * size for _ in range(3) for size in sizes]
    ends += [[r.randint(low, high) for _ in range(size)] for _ in range(3) for size in sizes]
    packed = [struct.pack(f"<{len(part)}{letter}", *part) for part in ends]
    return tuple(b"".join(packed[i : i + len(sizes)]) for i in range(0, len(packed), len(sizes)))


@st.composite
def products(draw: st.DrawFn, dtype: str) -> Product:
    """Any product of at most five dimensions."""
    batch = draw(st.lists(st.integers(1, 3), max_size=3))
    batches = []
    for _ in range(2):
        kept = [draw(st.sampled_from([size, size, 1])) for size in batch]
        batches.append(tuple(kept[draw(st.integers(0, len(kept))) if draw(st.booleans()) else 0 :]))
    depth = draw(st.one_of(st.integers(1, 9), st.sampled_from([16, 24])))
    a, b = draw(quantizations(1e-2, 0.5)), draw(quantizations(1e-2, 0.5))
    seed = draw(seeds)
    r = random.Random(seed)
    rms = 75 * 75 / 50 if dtype == "int8" else 19_000 * 19_000 / 13_000
    scale = a[0] * b[0] * rms * depth**0.5
    if r.random() < 0.15:
        scale = a[0] * b[0] / r.choice([0.7, 1.5, 3.0]) if dtype == "int8" else scale / 7
    if r.random() < 0.3:  # ties
        a, b, scale = (0.5, a[1]), (0.25, b[1]), 2.0 ** round(math.log2(scale))
    return Product(
        a_batch=batches[0],
        b_batch=batches[1],
        rows=draw(st.integers(1, 5)),
        depth=depth,
        columns=draw(st.integers(1, 5)),
        adj_x=draw(st.booleans()),
        adj_y=draw(st.booleans()),
        constant=draw(st.sampled_from(["", "", "a", "b"])),
        dtype=dtype,
        a=a if dtype == "int8" else (a[0], 0),
        b=b if dtype == "int8" else (b[0], 0),
        y=(float32(scale), draw(zero_points) if dtype == "int8" else 0),
        seed=seed,
    )


@st.composite
def cases(draw: st.DrawFn, dtype: str) -> Case:
    product = draw(products(dtype))
    return Case(str(product), build(product), edges(product))


PRODUCT = Product()

ROWS = [
    Row("BATCH_MATMUL", "int8", cases("int8")),
    Row("BATCH_MATMUL", "int16", cases("int16")),
    Row("BATCH_MATMUL", "int8_with_dsp_kernels", cases("int8"), prove=assert_bit_exact_with_dsp_kernels),
    Row("BATCH_MATMUL", "int16_with_dsp_kernels", cases("int16"), prove=assert_bit_exact_with_dsp_kernels),
]
REFUSALS = [
    Refusal("BATCH_MATMUL", build(replace(PRODUCT, y=(1e-13, 0))), "rescales"),
    Refusal("BATCH_MATMUL", build(replace(PRODUCT, y=(1e-9, 0))), "overflow"),
    Refusal("BATCH_MATMUL", build(replace(PRODUCT, dtype="int16")), "zero points of 0"),
    Refusal("BATCH_MATMUL", build(PRODUCT, (4, 3)), "do not fit"),
    Refusal("BATCH_MATMUL", build(replace(PRODUCT, a_batch=(2, 1, 1, 1))), "2 to 5 dimensions"),
    Refusal("BATCH_MATMUL", build(PRODUCT, b_type="int16"), "right operand .* int16"),
]
