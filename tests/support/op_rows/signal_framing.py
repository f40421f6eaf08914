# SPDX-License-Identifier: Apache-2.0
"""Signal operators that keep samples from one inference to the next, over several of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_signals import add, case, sounds
from support.op_strategies import seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

FRAMER, STACKER = "CUSTOM SignalFramer", "CUSTOM SignalStacker"
OVERLAP, DELAY = "CUSTOM SignalOverlapAdd", "CUSTOM SignalDelay"
Shape = tuple[int, ...]
outers = st.lists(st.integers(1, 3), max_size=2).map(tuple)


def build(name: str, x: Shape, y: Shape, *, validity: Sequence[int] | None = None, **options: Any) -> bytes:
    model = Model()
    source, made = model.input(x, dtype="int16"), [model.tensor(y, dtype="int16")]
    if validity is not None:
        made.append(model.tensor(validity, dtype="bool"))
    add(model, name, [source], made, **options)
    return model.build(*made)


def framed(x: Shape, y: Shape, **options: Any) -> bytes:
    return build("Framer", x, y, validity=(), **options)


def stacked(x: Shape, y: Shape, channels: int, left: int, right: int = 0, step: int = 1) -> bytes:
    contexts = {"stacker_left_context": left, "stacker_right_context": right}
    return build("Stacker", x, y, validity=(), num_channels=channels, **contexts, stacker_step=step)


@st.composite
def frames(draw: st.DrawFn) -> Case:
    step, count, size = draw(st.integers(1, 9)), draw(st.integers(1, 4)), draw(st.integers(1, 30))
    outer = draw(outers)
    prefill = size > step or (size == step and draw(st.booleans()))
    x, y = (*outer, count * step), (*outer, count, size)
    tflite = framed(x, y, frame_size=size, frame_step=step, prefill=prefill)
    return case(f"{x} -> {y} {step} {prefill}", tflite, sounds(math.prod(x), draw(seeds), 7))


@st.composite
def stacks(draw: st.DrawFn) -> Case:
    channels, left, extra = draw(st.integers(1, 9)), draw(st.integers(0, 5)), draw(st.integers(0, 2))
    tflite = stacked((channels + extra,), (channels * (left + 1),), channels, left)
    return case(f"{channels} {left} {extra}", tflite, sounds(channels + extra, draw(seeds), 7))


@st.composite
def sums(draw: st.DrawFn) -> Case:
    size, count = draw(st.integers(1, 20)), draw(st.integers(1, 4))
    step, outer = draw(st.integers(1, size)), draw(outers)
    x, y = (*outer, count, size), (*outer, count * step)
    tflite = build("OverlapAdd", x, y, T=7, frame_step=step)
    return case(f"{x} -> {y} {step}", tflite, sounds(math.prod(x), draw(seeds), 7))


@st.composite
def delays(draw: st.DrawFn) -> Case:
    x, length = (*draw(outers), draw(st.integers(1, 12))), draw(st.integers(0, 30))
    return case(f"{x} {length}", build("Delay", x, x, delay_length=length), sounds(math.prod(x), draw(seeds), 7))


ROWS = [
    Row(FRAMER, "any_size", frames(), count=30),
    Row(STACKER, "any_size", stacks(), count=30),
    Row(OVERLAP, "any_size", sums(), count=30),
    Row(DELAY, "any_length", delays(), count=30),
]
REFUSALS = [
    Refusal(FRAMER, framed((4,), (2, 3), frame_size=3, frame_step=2, prefill=False), "leaves its first frames unset"),
    Refusal(FRAMER, framed((4,), (2, 1), frame_size=1, frame_step=2, prefill=True), "by less than nothing"),
    Refusal(FRAMER, framed((5,), (2, 3), frame_size=3, frame_step=2, prefill=True), "no whole number of steps"),
    Refusal(FRAMER, framed((4,), (2, 3), frame_size=3, frame_step=0, prefill=True), "frame_step 0 is out of range"),
    Refusal(FRAMER, framed((4,), (2, 3), frame_size=2**30, frame_step=2, prefill=True), "frame_size 1073741824"),
    Refusal(FRAMER, framed((4,), (1, 3), frame_size=3, frame_step=2, prefill=True), "output .* has 3 elements"),
    Refusal(FRAMER, framed((4,), (4,), frame_size=2, frame_step=2, prefill=True), "output .* has 1 dimensions"),
    Refusal(STACKER, stacked((2,), (6,), 2, 1, right=1), "stacker_right_context 1"),
    Refusal(STACKER, stacked((2,), (4,), 2, 1, step=2), "stacker_step 2"),
    Refusal(STACKER, stacked((2,), (4,), 3, 1), "num_channels 3"),
    Refusal(STACKER, stacked((2,), (5,), 2, 1), "output .* has 5 elements"),
    Refusal(STACKER, stacked((2,), (5,), 2, 2**30), "stacker_left_context 1073741824"),
    Refusal(OVERLAP, build("OverlapAdd", (2, 4), (4,), T=0, frame_step=2), "is of type 0"),
    Refusal(OVERLAP, build("OverlapAdd", (2, 4), (10,), T=7, frame_step=5), "frame_step 5 is out of range"),
    Refusal(OVERLAP, build("OverlapAdd", (2, 4), (5,), T=7, frame_step=2), "output .* has 5 elements"),
    Refusal(OVERLAP, build("OverlapAdd", (4,), (), T=7, frame_step=1), "frames are needed"),
    Refusal(DELAY, build("Delay", (4,), (4,), delay_length=-1), "delay_length -1 is out of range"),
    Refusal(DELAY, build("Delay", (4,), (4,), delay_length=2**30), "delay_length 1073741824 is out of range"),
    Refusal(DELAY, build("Delay", (4,), (5,), delay_length=1), "output .* has 5 elements"),
]
