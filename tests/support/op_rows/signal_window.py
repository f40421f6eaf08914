# SPDX-License-Identifier: Apache-2.0
"""SignalWindow of any size and shift, over several frames."""

from __future__ import annotations

import math
import random
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_signals import add, case, sounds
from support.op_strategies import seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

NAME = "CUSTOM SignalWindow"


def build(shape: tuple[int, ...], weights: list[int] | None, dtype: str = "int16", **options: Any) -> bytes:
    model = Model()
    x, y = model.input(shape, dtype=dtype), model.tensor(shape, dtype=dtype)
    w = (
        model.input((3,), dtype="int16")
        if weights is None
        else model.tensor((len(weights),), None, 0, weights, "int16")
    )
    add(model, "Window", [x, w], [y], **options)
    return model.build(y)


@st.composite
def windows(draw: st.DrawFn) -> Case:
    size = draw(st.integers(1, 40))
    shape = (*draw(st.lists(st.integers(1, 3), max_size=2)), size)
    r = random.Random(draw(seeds))
    low = draw(st.sampled_from([-(2**15), 0]))
    weights = [r.choice([low, 2**15 - 1, r.randrange(low, 2**15)]) for _ in range(size)]
    shift = draw(st.sampled_from([12, 15, 0, 31, draw(st.integers(0, 31))]))
    inputs = sounds(math.prod(shape), r.randrange(999))
    return case(f"{shape} >> {shift}", build(shape, weights, shift=shift), inputs, aliased=draw(st.booleans()))


PLAIN = [1, 2, 3]
ROWS = [Row(NAME, "any_size", windows(), count=30)]
REFUSALS = [
    Refusal(NAME, build((3,), PLAIN, shift=32), "shift 32 is out of range"),
    Refusal(NAME, build((3,), PLAIN, shift=-1), "shift -1 is out of range"),
    Refusal(NAME, build((4,), PLAIN, shift=1), "no whole number of windows"),
    Refusal(NAME, build((3,), PLAIN, "int32", shift=1), "input .* is int32"),
    Refusal(NAME, build((3,), None, shift=1), "window .* is computed"),
    Refusal(NAME, build((3,), PLAIN, shift=1, other=2), "its options must be shift"),
    Refusal(NAME, build((3,), PLAIN, "int16", **{"sh\nift": 1}), r"they are sh\\nift$"),
    Refusal(NAME, build((3,), PLAIN, shift="twelve"), "they hold more than integers"),
    Refusal(NAME, build((3,), PLAIN), "its options must be shift; they are none"),
]
