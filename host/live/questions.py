# SPDX-License-Identifier: Apache-2.0
"""What a page may ask the boards: real values for all inputs, or a sample of the data set; none of it trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from tinyproof.core.data_set import Dataset
from tinyproof.core.manifest import TensorSpec
from tinyproof.core.sample_form import sample_form
from tinyproof.core.tflite.arithmetic import real_limits
from tinyproof.core.tflite.tensor_layout import TensorLayout

MAX_REAL = 3.4028234663852886e38  # a float32
MAX_FRAMES = 4096  # of one stream to a model with state: whoever comes late hears all of it
MAX_TEXT = 1 << 23  # characters of a page's message
MAX_PACE = 1000.0  # frames a second


@dataclass(frozen=True)
class Question:
    """`frames`: real values of all inputs, one row for each inference; more than one of a model with state alone.
    `pace`: frames a second, 0 for as fast as a board answers. `number`: the page's.

    A model with state begins anew at the first frame; but if the question `goes_on`, at the first of those `before` it,
    which make one stream with it.
    """

    number: int
    frames: tuple[tuple[float, ...], ...]
    pace: float = 0.0
    label: str = ""  # what the data set says of it
    replayed: bool = False  # from the data set: no page has its values yet
    goes_on: bool = False
    before: tuple[Question, ...] = ()  # each without its own

    @property
    def first(self) -> Question:
        """Of the stream: two questions are of one stream if this is the same object."""
        return self.before[0] if self.before else self

    @property
    def start(self) -> int:
        """How many frames of the stream are before its own."""
        return sum(len(question.frames) for question in self.before)

    @property
    def end(self) -> int:
        """How many frames the stream has with its own."""
        return self.start + len(self.frames)

    def at(self, position: int) -> tuple[Question, int]:
        """Whose frame is at a position of the stream, and which of its own."""
        for question in self.before:
            if position < len(question.frames):
                return question, position
            position -= len(question.frames)
        return self, position

    def after(self, last: Question | None) -> Question:
        """It as the next of the stream of `last`; the first of one where it does not go on, or the stream is as long as
        one may be."""
        if not self.goes_on or last is None or last.end + len(self.frames) > MAX_FRAMES:
            return replace(self, goes_on=False)
        alone = replace(last, before=()) if last.before else last
        return replace(self, before=(*last.before, alone))


class Asker:
    """Reads questions for a model of these inputs. `samples`: where a page may take samples from."""

    def __init__(
        self, layout: TensorLayout, *, stateful: bool, samples: Dataset | None, classes: Sequence[str] = ()
    ) -> None:
        self._layout, self._stateful = layout, stateful
        self._samples, self._classes = samples, classes

    @property
    def samples(self) -> int:
        """How many there are in the data set."""
        return 0 if self._samples is None else len(self._samples)

    def read(self, text: str) -> Question | None:
        """What a page sent, or None for anything that is no question to this model."""
        try:
            message = json.loads(text) if len(text) <= MAX_TEXT else None
            if not isinstance(message, dict):
                return None
            number, pace = message.get("ask", -1), message.get("pace", 0)
            if not _is_count(number) or type(pace) not in (int, float) or not 0 <= pace <= MAX_PACE:
                return None
            goes_on = message.get("goes_on", False)
            if type(goes_on) is not bool or (goes_on and not self._stateful):
                return None
            question = self._question(number, float(pace), message)
            return question and replace(question, goes_on=goes_on)
        except (ValueError, OverflowError, RecursionError):
            return None

    def _question(self, number: int, pace: float, message: dict[str, Any]) -> Question | None:
        if "sample" in message:
            index = message["sample"]
            return self.sample(number, index, pace) if _is_count(index) and index < self.samples else None
        x, size = message.get("x"), self._layout.elements
        if not isinstance(x, list) or not x or len(x) % size or not all(map(_is_real, x)):
            return None
        count = len(x) // size
        if count > (MAX_FRAMES if self._stateful else 1):
            return None
        rows = tuple(tuple(map(float, x[start : start + size])) for start in range(0, len(x), size))
        return Question(number, rows, pace)

    def sample(self, number: int, index: int, pace: float) -> Question:
        """Sample `index` of the data set."""
        data = self._samples
        assert data is not None
        rows = data.x[index * data.frames : (index + 1) * data.frames].tolist()
        frames = [self._layout.dequantize(row) for row in rows] if data.quantized else rows
        return Question(number, tuple(map(tuple, frames)), pace, self._label(index), replayed=True)

    def _label(self, index: int) -> str:
        if self._samples is None or self._samples.y is None:
            return ""
        label = self._samples.y[index]
        if label.ndim:
            return ", ".join(f"{value:.4g}" for value in label[:4].tolist())
        return self._classes[label] if 0 <= label < len(self._classes) else str(label)


def describe_input(tensor: TensorSpec, values: tuple[float, float] | None) -> dict[str, Any]:
    """What the page draws for it. `low`, `high`: its ends, which stand for black and white and a sound's ends where
    `values` does not say others."""
    form = sample_form(tensor.shape)
    low, high = real_limits(tensor.dtype, tensor.scale, tensor.zero_point)
    black, white = values or (low, high)
    return {
        "name": tensor.name,
        "shape": tensor.shape,
        "kind": form.kind,
        "elements": tensor.elements,
        "rows": form.rows,
        "columns": form.columns,
        "channels": form.channels,
        "low": low,
        "high": high,
        "step": tensor.scale,
        "black": black,
        "white": white,
    }


def describe_output(tensor: TensorSpec, classes: Sequence[str]) -> dict[str, Any]:
    """What the page draws of it: a number, a bar for each class, or a curve where there are many."""
    low, high = real_limits(tensor.dtype, tensor.scale, tensor.zero_point)
    names = list(classes) if len(classes) == tensor.elements else []
    return {"name": tensor.name, "elements": tensor.elements, "low": low, "high": high, "classes": names}


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 1 << 53


def _is_real(value: Any) -> bool:
    """False for bool, None, NaN and what is beyond a float32."""
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= MAX_REAL
