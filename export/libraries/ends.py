# SPDX-License-Identifier: Apache-2.0
"""A library's inputs and outputs in C: where they are, and the way between real values and integers."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.ends import QUANTIZED
from tinyproof.core.tflite.graph import Tensor

End = tuple[str, str, Tensor]  # (function's name without the library's, macros' beginning, tensor)


def is_quantized(tensor: Tensor) -> bool:
    """Whether its integers stand for real values."""
    return tensor.dtype in QUANTIZED and bool(tensor.scales)


def places(ends: Sequence[End], name: str) -> list[str]:
    """Functions that say where each tensor lies in the arena."""
    lines = ["", "/* Where the inputs and the outputs lie. */"]
    for role, macro, tensor in ends:
        kind = DTYPES[tensor.dtype].c_type
        lines += [
            f"static inline {kind} *{name}_{role}(void *arena) {{",
            f"    return ({kind} *)(void *)((int8_t *)arena + {macro}_OFFSET);",
            "}",
        ]
    return lines


def conversions(inputs: Sequence[End], outputs: Sequence[End], name: str) -> list[str]:
    """Functions that quantize a real value of an input, and that say what an output's integer means."""
    lines: list[str] = []
    for role, macro, tensor in inputs:
        if is_quantized(tensor):
            lines += _quantize(f"{name}_quantize_{role}", macro, tensor.dtype)
    for role, macro, tensor in outputs:
        if is_quantized(tensor):
            lines += _dequantize(f"{name}_dequantize_{role}", macro, tensor.dtype)
    return lines


def _quantize(function: str, macro: str, dtype: str) -> list[str]:
    """TFLite Micro's own: round(x / scale), ties away from zero, in float32. What is cut off is known exactly."""
    kind = DTYPES[dtype]
    return [
        "",
        "/* The integer that stands for a real value: round(x / scale) + zero point, clamped; NaN as the smallest. */",
        f"static inline {kind.c_type} {function}(float x) {{",
        f"    const float steps = x / {macro}_SCALE;",
        f"    const float low = (float)({kind.low} - {macro}_ZERO_POINT);",
        f"    const float high = (float)({kind.high} - {macro}_ZERO_POINT);",
        "    const float inside = steps > low ? (steps < high ? steps : high) : low;",
        "    const int32_t whole = (int32_t)inside;",
        "    const float rest = inside - (float)whole;",
        "    const int32_t q = whole + (rest >= 0.5F) - (rest <= -0.5F);",
        f"    return ({kind.c_type})(q + {macro}_ZERO_POINT);",
        "}",
    ]


def _dequantize(function: str, macro: str, dtype: str) -> list[str]:
    kind = DTYPES[dtype].c_type
    return [
        "",
        "/* The real value that an integer stands for. */",
        f"static inline float {function}({kind} q) {{",
        f"    return {macro}_SCALE * (float)((int32_t)q - {macro}_ZERO_POINT);",
        "}",
    ]
