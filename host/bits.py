# SPDX-License-Identifier: Apache-2.0
"""Asks a board inputs whose golden outputs are known, and counts the answers that differ in any bit."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinyproof.core.errors import BoardError
from tinyproof.host.protocol.messages import Answer
from tinyproof.host.session import Session

KEPT_DIVERGENCES = 100  # of a data set, which may be of any length
SHOWN_VALUES = 4  # of a long tensor, in a message
ASKED_TWICE = 4  # one of so many frames of a sequence
_RESTARTS = "the board restarts before it has answered all frames; is its power supply sound?"

Progress = Callable[[float, int], None]  # (inputs done, the present one in part, and all inputs)


@dataclass(frozen=True)
class Divergence:
    """An input that the board answers otherwise than the golden reference; `element` is the first that differs.

    `layer` is the first operator that leaves the reference, and `tensor` what the model calls the output in which it
    does; known for the first divergence of a report. `frame`: of the sample `index`, where a sample is a sequence of
    frames.
    """

    index: int
    x_q: list[int]
    element: int
    expected_q: int
    board_q: int
    layer: str = ""
    tensor: str = ""
    frame: int | None = None

    def __str__(self) -> str:
        where = f"[{self.element}]" if self.element else ""
        frame = "" if self.frame is None else f", frame {self.frame}"
        return (
            f"input {self.index}{frame}, x_q = {some(self.x_q)}: expected q{where} = {self.expected_q},"
            f" board q{where} = {self.board_q}{f'; it begins in {self.layer}' if self.layer else ''}"
        )


@dataclass
class BitsResult:
    """What the inputs came to. `ticks_*`: of one inference, in `tick_unit`; `seconds`: in which the board was asked."""

    checked: int = 0
    different: int = 0
    divergences: list[Divergence] = field(default_factory=list)  # the first ones
    layer_note: str = ""  # why the layer of the first divergence is not known, where it is not
    ticks_min: int = 0
    ticks_max: int = 0
    tick_unit: str = ""
    seconds: float = 0.0
    round_trips: int = 0
    repeats: int = 0  # requests sent again, the greeting's and those after the inputs included
    resets: int = 0  # restarts of the board, likewise
    baud: int = 0  # that the line was changed to; 0: it is at the speed that it began with
    line_note: str = ""  # why it is not at another, where one was wanted

    @property
    def identical(self) -> bool:
        """Whether something was asked, and every answer was the reference's."""
        return self.checked > 0 and self.different == 0

    @property
    def same(self) -> int:
        """How many answers were the reference's."""
        return self.checked - self.different

    @property
    def round_trips_per_second(self) -> float:
        """Requests answered per second of waiting for the board; 0 before any."""
        return self.round_trips / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The keys that every document of answers has; each counts its inputs under a name of its own."""
        return {
            "divergences": [dataclasses.asdict(divergence) for divergence in self.divergences],
            "layer_note": self.layer_note,
            "ticks_min": self.ticks_min,
            "ticks_max": self.ticks_max,
            "tick_unit": self.tick_unit,
            "seconds": round(self.seconds, 3),
            "round_trips": self.round_trips,
            "round_trips_per_second": round(self.round_trips_per_second, 1),
            "repeats": self.repeats,
            "resets": self.resets,
            "baud": self.baud,
            "line_note": self.line_note,
        }

    def mismatch(self, inputs: str, board: str) -> str:
        """What is wrong, in one line; empty when every bit is the reference's. `inputs`: what they are called."""
        if not self.different:
            return ""
        return f"{self.different} of {self.checked} {inputs} differ on {board}; first: {self.divergences[0]}"


def ask_inputs(
    session: Session,
    inputs: Sequence[bytes],
    golden: Callable[[bytes], bytes],
    progress: Progress | None,
    *,
    keep: int = KEPT_DIVERGENCES,
) -> BitsResult:
    """Asks all of `inputs` and holds each answer against `golden` of it. Of a model with state each input comes right
    after a reset.

    `keep`: how many divergences are kept in full; all are counted. Raises BoardError as the session does.
    """
    samples = ([content] for content in inputs)
    return ask_samples(session, samples, len(inputs), lambda one: [golden(one[0])], progress, keep=keep)


def ask_samples(
    session: Session,
    samples: Iterable[Sequence[bytes]],
    total: int,
    golden: Callable[[Sequence[bytes]], list[bytes]],
    progress: Progress | None,
    *,
    keep: int = KEPT_DIVERGENCES,
    heard: Callable[[list[Answer]], None] | None = None,
) -> BitsResult:
    """The same of samples that are sequences of frames, `total` frames in all: the first frame of each comes right
    after a reset. `golden`: the answers to the frames of a sample; `heard` gets the board's.

    A board that restarts in the middle of a sequence has lost its state, and hears it from the beginning.
    """
    result = BitsResult()
    before = session.client.requests
    for index, frames in enumerate(samples):
        expected = golden(frames)  # outside of the time that is the board's and the line's
        answers = _ask_frames(session, result, result.checked, total, frames, progress)
        for number, (content, right, answer) in enumerate(zip(frames, expected, answers, strict=True)):
            place = (index, number if len(frames) > 1 else None)
            _compare(session, result, place, content, right, answer, keep)
        if heard is not None:
            heard(answers)
    _finish(session, result, before)
    return result


def _ask_frames(
    session: Session, result: BitsResult, place: int, total: int, frames: Sequence[bytes], progress: Progress | None
) -> list[Answer]:
    """The answers to one sample, of which each frame but the first depends on those before."""
    for _ in range(session.client.retries + 1):
        session.begin()
        restarts, answers = session.resets, []
        for number, content in enumerate(frames):
            answers.append(_ask(session, result, place + number, total, content, progress))
            if len(frames) > 1 and session.resets != restarts:
                break
        else:
            return answers
    raise BoardError(_RESTARTS)


def ask_sequence(
    session: Session,
    frames: Sequence[bytes],
    golden: Callable[[int], bytes],
    progress: Progress | None,
    *,
    keep: int = KEPT_DIVERGENCES,
) -> BitsResult:
    """Asks consecutive frames of a model with state: the first of them after a reset, then all of them after another
    one, which must answer the same. `golden`: the answer to a frame by its number, counted from the reset.

    A board that restarts has lost its state: everything begins anew, as often as a request is repeated.
    """
    order = [*range(-(-len(frames) // ASKED_TWICE)), *range(len(frames))]
    for _ in range(session.client.retries + 1):
        result, before, restarts = BitsResult(), session.client.requests, session.resets
        for place, number in enumerate(order):
            if number == 0:
                session.inference.reset()
            answer = _ask(session, result, place, len(order), frames[number], progress)
            if session.resets != restarts:
                break
            _compare(session, result, (number, None), frames[number], golden(number), answer, keep)
        else:
            _finish(session, result, before)
            return result
    raise BoardError(_RESTARTS)


def _ask(
    session: Session, result: BitsResult, place: int, count: int, content: bytes, progress: Progress | None
) -> Answer:
    """One inference, with its time and its ticks in `result`."""
    session.inference.on_part = _part_of(progress, place, count, len(content))
    started = time.perf_counter()
    answer = session.inference.from_bytes(content)
    result.seconds += time.perf_counter() - started
    result.ticks_min = min(result.ticks_min, answer.ticks) if place else answer.ticks
    result.ticks_max, result.tick_unit = max(result.ticks_max, answer.ticks), answer.unit
    if progress is not None:
        progress(place + 1, count)
    return answer


def _compare(
    session: Session,
    result: BitsResult,
    place: tuple[int, int | None],
    content: bytes,
    golden: bytes,
    answer: Answer,
    keep: int,
) -> None:
    """`place`: the input's number, and the frame's where the input is a sequence."""
    result.checked += 1
    if answer.output != golden:
        result.different += 1
        if len(result.divergences) < keep:
            result.divergences.append(divergence_at(session, place, content, golden, answer.q))


def _finish(session: Session, result: BitsResult, requests_before: int) -> None:
    session.inference.on_part = None
    result.round_trips = session.client.requests - requests_before
    result.repeats, result.resets = session.repeats, session.resets
    speed = session.client.speed
    result.baud, result.line_note = speed.present if speed.is_other else 0, speed.note


def divergence_at(
    session: Session, place: tuple[int, int | None], content: bytes, golden: bytes, got: tuple[int, ...]
) -> Divergence:
    """`place`: the input's number, and the frame's where the input is a sequence. `got`: the board's outputs, which
    differ from `golden`."""
    expected = session.y.values(golden)
    element = next(i for i, (theirs, ours) in enumerate(zip(expected, got, strict=True)) if ours != theirs)
    index, frame = place
    return Divergence(index, list(session.x.values(content)), element, expected[element], got[element], frame=frame)


def _part_of(progress: Progress | None, index: int, count: int, size: int) -> Callable[[int], None] | None:
    """What an inference calls while it loads input `index` of `count`, which has `size` bytes."""
    return None if progress is None else lambda loaded: progress(index + loaded / size, count)


def some(values: list[int] | list[float]) -> str:
    """A tensor in a message: the number itself, or its first few in brackets."""
    shown = [f"{value:.6g}" for value in values[:SHOWN_VALUES]]
    if len(values) == 1:
        return shown[0]
    return f"[{', '.join(shown)}{', ...' if len(values) > SHOWN_VALUES else ''}]"
