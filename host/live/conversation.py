# SPDX-License-Identifier: Apache-2.0
"""A running conversation with one board: the newest question wins, and a lost board is looked for again."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import TinyproofError
from tinyproof.core.manifest import Manifest
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.live.expected_answers import ExpectedAnswers
from tinyproof.host.live.questions import Question
from tinyproof.host.protocol.messages import Answer
from tinyproof.host.protocol.numbers import float_bits, float_from_bits
from tinyproof.host.session import Session, open_session

Publish = Callable[[dict[str, Any]], None]

IDLE_S = 0.25  # between two looks at the board when nothing changes: how soon an unplugged one is noticed
RETRY_S = 0.5  # between two attempts to reach a lost board
BURST = 8  # questions in a row when nothing changes: their times make the rate, and sleep is not part of it
RATE_WINDOW = 48  # answers that the shown rate averages over
SHOWN_VALUES = 4096  # of an answer
SHOWN_INPUTS = 8  # of what was asked, which the page knows


class Conversation:
    """Owns the link, in a thread of its own. `publish` gets each message for the page, from that thread.

    `place`: the board's among those that are watched. A model with state hears a stream of frames, which a question
    begins anew or goes on with; a board that has restarted or was lost hears it from its beginning.
    """

    def __init__(
        self,
        *,
        place: int,
        board: Board,
        port: str | None,
        build_dir: Path,
        manifest: Manifest,
        config: CheckConfig,
        golden: ExpectedAnswers,
        publish: Publish,
    ) -> None:
        self.place, self.board, self.port = place, board, port
        self._build_dir, self._manifest, self._config = build_dir, manifest, config
        self._golden, self._tell = golden, publish
        self._news = threading.Condition()
        self._question: Question | None = None
        self._changed = False
        self._stopping = False
        self._stream: Question | None = None  # its first; None: the board's state is not known
        self._heard = 0  # frames of it that the board has answered
        self._different = 0  # of these
        self._times: deque[float] = deque(maxlen=RATE_WINDOW)
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"board {place}", daemon=True)

    def start(self) -> None:
        """Begins to talk to the board, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and with it the link and a simulated board."""
        with self._news:
            self._stopping = True
            self._news.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def ask(self, question: Question) -> None:
        """Sets the question. One that was not sent yet is forgotten, and a stream that is under way ends, but for those
        that it goes on with."""
        with self._news:
            self._question, self._changed = question, True
            self._news.notify()

    def _publish(self, message: dict[str, Any]) -> None:
        self._tell({**message, "board": self.place})

    def _run(self) -> None:
        try:
            while not self._stopping:
                try:
                    self._talk()
                except TinyproofError as error:
                    self._publish({"kind": "state", "connected": False, "why": error.message})
                    self._pause(RETRY_S)
        except BaseException as error:  # a bug: whoever waits for the conversation raises it
            self.failure = error
            self._publish({"kind": "state", "connected": False, "why": "tinyproof failed; see the terminal"})

    def _talk(self) -> None:
        # The manifest is that of the golden answers: a build made anew meanwhile is another model's.
        manifest = self._manifest
        with open_session(self.board, self._build_dir, self.port, self._config, manifest=manifest) as session:
            self._times.clear()
            self._stream = None
            self._publish({"kind": "state", "connected": True, "engine": session.info.engine})
            with self._news:
                self._changed = self._question is not None
            while not self._stopping:
                with self._news:
                    question, new = self._question, self._changed
                    self._changed = False
                if question is None or (self._golden.stateful and not new):
                    session.inference.greet()
                    self._publish({"kind": "alive"})
                elif self._golden.stateful:
                    self._ask_stream(session, question)
                else:
                    self._ask_again(session, question, 1 if new else BURST)
                with self._news:
                    if not self._changed and not self._stopping:
                        self._news.wait(IDLE_S)

    def _ask_again(self, session: Session, question: Question, count: int) -> None:
        """The same question at most `count` times, until there is another one."""
        content, right = self._golden.frame(question, 0)
        for _ in range(count):
            answer = self._ask(session, question.frames[0], content)
            if self._changed or self._stopping:
                break
        self._different = 0
        self._publish(self._message(question, 0, content, right, answer))

    def _ask_stream(self, session: Session, question: Question) -> None:
        """Every frame of the stream that the board has not heard yet, at its pace, until there is another question."""
        if question.first is not self._stream:
            session.begin()
            self._stream, self._heard, self._different = question.first, 0, 0
        restarts, began, first = session.resets, time.monotonic(), self._heard
        while self._heard < question.end:
            if question.pace:
                self._pause(began + (self._heard - first) / question.pace - time.monotonic(), or_news=True)
            if self._changed or self._stopping:
                return
            content, right = self._golden.frame(question, self._heard)
            asked, index = question.at(self._heard)
            answer = self._ask(session, asked.frames[index], content)
            if session.resets != restarts:
                self._stream = None
                with self._news:
                    self._changed = True  # its state is lost: from the beginning
                return
            self._publish(self._message(question, self._heard, content, right, answer))
            self._heard += 1

    def _ask(self, session: Session, frame: tuple[float, ...], content: bytes) -> Answer:
        """In real values where they fit the board's line, so that it quantizes itself."""
        reals = list(frame)
        start = time.perf_counter()
        answer = None
        if session.x.content(session.x.quantize(reals)) == content:
            answer = session.inference.from_real(reals)
        if answer is None:
            answer = session.inference.from_bytes(content)
        self._times.append(time.perf_counter() - start)
        return answer

    def _pause(self, seconds: float, *, or_news: bool = False) -> None:
        with self._news:
            if not self._stopping:
                self._news.wait_for(lambda: self._stopping or (or_news and self._changed), max(0.0, seconds))

    def _message(
        self, question: Question, position: int, content: bytes, right: bytes, answer: Answer
    ) -> dict[str, Any]:
        x, y = self._golden.inputs, self._golden.outputs
        asked, index = question.at(position)
        x_q, expected = x.values(content), y.values(right)
        bits = answer.y_bits or tuple(float_bits(value) for value in y.dequantize(answer.q))
        identical = answer.output == right and list(bits) == [float_bits(value) for value in y.dequantize(expected)]
        self._different += not identical
        return {
            "kind": "answer",
            "ask": asked.number,
            "frame": index,
            "frames": len(asked.frames),
            "position": position,
            "end": question.end,
            "different": self._different,
            "x": list(asked.frames[index][:SHOWN_INPUTS]),
            "x_q": list(x_q[:SHOWN_INPUTS]),
            "q": list(answer.q[:SHOWN_VALUES]),
            "y": [_finite(float_from_bits(value)) for value in bits[:SHOWN_VALUES]],
            "y_bits": [f"{value:08X}" for value in bits[:1]],
            "expected": list(expected[:SHOWN_VALUES]),
            "identical": identical,
            "saturated": _saturation(x, y, asked.frames[index], answer),
            "ticks": answer.ticks,
            "unit": answer.unit,
            "rate": len(self._times) / sum(self._times),
        }


def _saturation(x: TensorLayout, y: TensorLayout, reals: tuple[float, ...], answer: Answer) -> str:
    """What is clamped: "input"; "output", of a model of one number, where the end of its range may hide the truth."""
    if x.saturates(reals):
        return "input"
    return "output" if x.elements == y.elements == 1 and y.at_end(answer.q) else ""


def _finite(value: float) -> float | None:
    """JSON has no NaN; a board may send any 32 bits."""
    return value if abs(value) < float("inf") else None
