# SPDX-License-Identifier: Apache-2.0
"""A sample drawn as what it is by its shape: an image or spectrogram, a series over time, or a few numbers."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from html import escape

from tinyproof.core.sample_form import sample_form

SERIES = 3  # signals that are drawn, in the colours of these roles
ROLES = ("model", "error", "target")
WIDTH, HEIGHT = 220, 120
MOST_PIXELS = 1 << 16


def draw_sample(values: Sequence[float], shape: Sequence[int], alt: str) -> str:
    """An <svg>; "" for what has no picture: more than MOST_PIXELS values, or values that do not fill the shape."""
    if math.prod(shape) != len(values) or len(values) > MOST_PIXELS:
        return ""
    form = sample_form(shape)
    open_tag = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" class="sample"><title>{escape(alt)}</title>'
    if form.kind == "image":
        return open_tag + _image(values, form.rows, form.columns, form.channels) + "</svg>"
    if form.kind == "series":
        return open_tag + _series(values, form.columns) + "</svg>"
    if form.kind == "numbers":
        return open_tag + _numbers(values) + "</svg>"
    return ""


def _image(values: Sequence[float], rows: int, columns: int, channels: int) -> str:
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    pixels = bytes(round(255 * (value - low) / span) for value in values)
    scale = min(WIDTH / columns, HEIGHT / rows)
    data = base64.b64encode(png(pixels, rows, columns, channels)).decode()
    return (
        f'<image href="data:image/png;base64,{data}" width="{columns * scale:.1f}" height="{rows * scale:.1f}" '
        'preserveAspectRatio="none"/>'
    )


def _series(values: Sequence[float], signals: int) -> str:
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    lines = []
    for signal in range(min(signals, SERIES)):
        one = values[signal::signals]
        points = " ".join(
            f"{WIDTH * place / (len(one) - 1):.1f},{4 + (HEIGHT - 8) * (high - value) / span:.1f}"
            for place, value in enumerate(one)
        )
        lines.append(f'<polyline class="line {ROLES[signal]}" stroke-width="1.6" points="{points}"/>')
    return "".join(lines)


def _numbers(values: Sequence[float]) -> str:
    high = max(abs(value) for value in values) or 1.0
    row = HEIGHT / len(values)
    middle = WIDTH / 2
    path = "".join(
        f"M{middle} {number * row + 2:.1f}h{middle * value / high:.1f}v{row - 4:.1f}H{middle}Z"
        for number, value in enumerate(values)
    )
    return f'<path class="fill model" d="{path}"/><line class="zero" x1="{middle}" x2="{middle}" y1="0" y2="{HEIGHT}"/>'


def png(pixels: bytes, rows: int, columns: int, channels: int) -> bytes:
    """8 bits a sample, grey (1 channel) or RGB (3), without a filter (PNG, third edition, clause 11)."""
    line = columns * channels
    raw = b"".join(b"\0" + pixels[start : start + line] for start in range(0, rows * line, line))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
