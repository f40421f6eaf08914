# SPDX-License-Identifier: Apache-2.0
"""SignalRfft and SignalIrfft of int16 and int32 and of every radix, over several rows."""

from __future__ import annotations

import math
import random
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_signals import add, case, sounds, words
from support.op_strategies import seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

TYPES = {"int16": 7, "int32": 2, "float32": 0}
RFFT, IRFFT = "CUSTOM SignalRfft", "CUSTOM SignalIrfft"
LENGTHS = [4, 6, 8, 10, 12, 16, 18, 20, 24, 30, 32, 40, 48, 50, 54, 60, 64, 80, 90, 100, 128, 150, 240]
LONG = [256, 480, 512]


def build(name: str, x: tuple[int, ...], y: tuple[int, ...], dtype: str = "int16", **options: Any) -> bytes:
    model = Model()
    source, target = model.input(x, dtype=dtype), model.tensor(y, dtype=dtype)
    add(model, name, [source], [target], **{"T": TYPES[dtype], **options})
    return model.build(target)


@st.composite
def transforms(draw: st.DrawFn, dtype: str, *, inverse: bool, lengths: list[int]) -> Case:
    length = draw(st.sampled_from(lengths))
    r = random.Random(draw(seeds))
    outer = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    spectrum = (*outer, length + 2)
    if inverse:
        x, y = (*outer, length + 2 + 2 * draw(st.sampled_from([0, 0, 1]))), (*outer, length)
    else:
        x, y = (*outer, draw(st.sampled_from([length, length, r.randint(1, length)]))), spectrum
    tflite = build("Irfft" if inverse else "Rfft", x, y, dtype, fft_length=length)
    count = math.prod(x)
    wide = words(count, r.randrange(999), 2) + sounds(2 * count, r.randrange(999), 4)
    inputs = wide if dtype == "int32" else sounds(count, r.randrange(999), 5)
    return case(f"{x} -> {y}, {length}", tflite, inputs)


def _rows(name: str, *, inverse: bool) -> list[Row]:
    rows = []
    for dtype in ("int16", "int32"):
        rows.append(Row(name, dtype, transforms(dtype, inverse=inverse, lengths=LENGTHS), count=16))
        rows.append(Row(name, f"{dtype}_long", transforms(dtype, inverse=inverse, lengths=LONG), count=4))
    return rows


ROWS = [*_rows(RFFT, inverse=False), *_rows(IRFFT, inverse=True)]
REFUSALS = [
    Refusal(RFFT, build("Rfft", (16,), (18,), T=0, fft_length=16), "is of float32"),
    Refusal(RFFT, build("Rfft", (16,), (18,), T=9, fft_length=16), "is of type 9"),
    Refusal(RFFT, build("Rfft", (16,), (18,), T=2, fft_length=16), "input .* is int16; int32"),
    Refusal(RFFT, build("Rfft", (15,), (17,), fft_length=15), "fft_length 15 is odd"),
    Refusal(RFFT, build("Rfft", (16,), (18,), fft_length=2**30), "fft_length 1073741824 is out of range"),
    Refusal(RFFT, build("Rfft", (14,), (16,), fft_length=14), "fft_length 14 is no product"),
    Refusal(RFFT, build("Rfft", (2,), (4,), fft_length=2), "fft_length 2 is out of range"),
    Refusal(RFFT, build("Rfft", (16,), (18,), fft_length=0), "fft_length 0 is out of range"),
    Refusal(RFFT, build("Rfft", (18,), (18,), fft_length=16), "has rows of 18"),
    Refusal(RFFT, build("Rfft", (2, 16), (1, 18), fft_length=16), "needs 2 rows of 18"),
    Refusal(RFFT, build("Rfft", (16,), (20,), fft_length=16), "needs 1 rows of 18"),
    Refusal(RFFT, build("Rfft", (1, 16), (18,), fft_length=16), "output .* has 1 dimensions"),
    Refusal(IRFFT, build("Irfft", (18,), (16,), T=0, fft_length=16), "is of float32"),
    Refusal(IRFFT, build("Irfft", (16,), (16,), fft_length=16), "has rows of 16"),
    Refusal(IRFFT, build("Irfft", (19,), (16,), fft_length=16), "has rows of 19"),
    Refusal(IRFFT, build("Irfft", (18,), (18,), fft_length=16), "needs 1 rows of 16"),
]
