# SPDX-License-Identifier: Apache-2.0
"""What a sample of a model's input is to a person, by its shape: numbers, an image, a series over time, or values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SIDE = 8  # a field of at least so many rows and columns is an image; fewer values are numbers


@dataclass(frozen=True)
class SampleForm:
    """`kind`: "numbers" (at most SIDE of them), "image" (also a spectrogram) of `rows` by `columns` pixels with
    `channels` 1 or 3, "series" of `rows` points in time of `columns` signals, or "values" of no form that is known."""

    kind: Literal["numbers", "image", "series", "values"]
    rows: int
    columns: int
    channels: int = 1


def sample_form(shape: Sequence[int]) -> SampleForm:
    """Of a tensor's shape, the first of which is the batch."""
    elements = math.prod(shape)
    if elements <= SIDE:
        return SampleForm("numbers", 1, elements)
    sides = [side for side in shape[1:] if side > 1] or [1]
    channels = sides[2] if len(sides) == 3 else 1
    if len(sides) in (2, 3) and min(sides[:2]) >= SIDE and channels in (1, 3):
        return SampleForm("image", sides[0], sides[1], channels)
    if sides[0] >= SIDE and len(sides) <= 2:
        return SampleForm("series", sides[0], sides[1] if len(sides) == 2 else 1)
    return SampleForm("values", 1, elements)
