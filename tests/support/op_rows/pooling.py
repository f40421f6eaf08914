# SPDX-License-Identifier: Apache-2.0
"""AVERAGE_POOL_2D and MAX_POOL_2D with any window, stride and padding."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.cortex_m4 import assert_bit_exact_on_cortex_m4, assert_bit_exact_on_cortex_m55
from support.op_cases import Case, assert_bit_exact_with_dsp_kernels, assert_bit_exact_with_mve_kernels
from support.op_rows.binary import typed_inputs, zero_points
from support.op_strategies import ACTIVATIONS, Quantization, quantizations, seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

SAME, VALID = 0, 1


def pool(
    name: str,
    shape: tuple[int, ...],
    window: tuple[int, int],
    stride: tuple[int, int],
    padding: int,
    quantization: Quantization = (0.5, 0),
    activation: int = 0,
    output: tuple[int, ...] | None = None,
    y: Quantization | None = None,
    dtype: str = "int8",
) -> bytes:
    def outputs(size: int, k: int, s: int) -> int:
        s = max(s, 1)
        return math.ceil(size / s) if padding == SAME else math.ceil((size - k + 1) / s)

    sizes = [outputs(*axis) for axis in zip(shape[1:3], window, stride, strict=True)]
    model = Model()
    source = model.input(shape, quantization[0], quantization[1], dtype=dtype)
    target_quantization = y or quantization
    target_shape = output or (shape[0], *sizes, shape[3])
    target = model.tensor(target_shape, target_quantization[0], target_quantization[1], dtype=dtype)
    options: dict[str, Any] = {"padding": padding, "fusedActivationFunction": activation}
    options |= {"filterHeight": window[0], "filterWidth": window[1], "strideH": stride[0], "strideW": stride[1]}
    model.add(name, [source], [target], **options)
    return model.build(target)


@st.composite
def pools(draw: st.DrawFn, name: str, dtype: str) -> Case:
    window = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.sampled_from([SAME, VALID]))
    low = window if padding == VALID else (1, 1)
    size = tuple(draw(st.integers(least, least + 7)) for least in low)
    shape = (draw(st.integers(1, 2)), *size, draw(st.integers(1, 9)))
    quantization = (draw(quantizations())[0] / (1 if dtype == "int8" else 256), draw(zero_points(dtype)))
    activation = draw(st.sampled_from(ACTIVATIONS))
    tflite = pool(name, shape, window, stride, padding, quantization, activation, dtype=dtype)
    label = f"{name} {dtype} {shape} window {window} stride {stride} padding {padding} {quantization} act {activation}"
    inputs = typed_inputs([(math.prod(shape), dtype)], draw(seeds))
    return Case(label, tflite, inputs, aliased=draw(st.booleans()))


@st.composite
def global_pools(draw: st.DrawFn, dtype: str) -> Case:
    """One window over everything, up to some thousand elements."""
    shape = (1, draw(st.integers(1, 60)), draw(st.integers(1, 60)), draw(st.integers(1, 3)))
    tflite = pool("AVERAGE_POOL_2D", shape, shape[1:3], (1, 1), VALID, dtype=dtype)
    return Case(f"global {dtype} {shape}", tflite, typed_inputs([(math.prod(shape), dtype)], draw(seeds)))


def changed(name: str, changes: dict[str, Any]) -> bytes:
    arguments: dict[str, Any] = {"shape": (1, 4, 4, 3), "window": (2, 2), "stride": (2, 2), "padding": VALID}
    arguments |= changes
    return pool(name, **arguments)


ROWS = [
    *(
        Row(name, f"any_window_{dtype}", pools(name, dtype))
        for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
        for dtype in ("int8", "int16")
    ),
    *(
        Row(name, "with_dsp_kernels", pools(name, "int8"), count=60, prove=assert_bit_exact_with_dsp_kernels)
        for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
    ),
    *(
        Row(name, "with_mve_kernels", pools(name, "int8"), prove=assert_bit_exact_with_mve_kernels)
        for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
    ),
    Row("AVERAGE_POOL_2D", "on_cortex_m4", pools("AVERAGE_POOL_2D", "int8"), prove=assert_bit_exact_on_cortex_m4),
    *(
        Row(name, "on_cortex_m55", pools(name, "int8"), count=40, prove=assert_bit_exact_on_cortex_m55)
        for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
    ),
    *(Row("AVERAGE_POOL_2D", f"global_{dtype}", global_pools(dtype), count=20) for dtype in ("int8", "int16")),
]
# Changes of a sound pool, and what the refusal says of each.
CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"window": (0, 2)}, "window"),
    ({"stride": (2, -1)}, "stride"),
    ({"stride": (2, 0)}, "stride"),
    ({"window": (70000, 1), "padding": SAME}, "window"),
    ({"padding": 2}, "window"),
    ({"output": (1, 3, 2, 3)}, "does not follow"),
    ({"y": (0.25, 0)}, "scale"),
    ({"y": (0.5, 1)}, "zero point"),
    ({"activation": 5}, "SIGN_BIT"),
    ({"dtype": "int32"}, "is int32"),
    ({"shape": (4, 4, 3, 1, 1), "output": (1, 2, 2, 3)}, "height"),
]
REFUSALS = [
    Refusal(name, changed(name, changes), says)
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
    for changes, says in CHANGES
] + [
    Refusal(
        "AVERAGE_POOL_2D",
        pool("AVERAGE_POOL_2D", (1, 182, 182, 1), (182, 182), (1, 1), VALID, dtype="int16"),
        "averages windows of 33,124",
    )
]
