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
from tinyproof.core.errors import TinyproofError, UsageError
from tinyproof.core.manifest import Manifest, read_manifest
from tinyproof.core.origin import NeuronTraining
from tinyproof.core.tflite.arithmetic import at_end, dequantize, quantize, saturates
from tinyproof.host.expected import read_vectors
from tinyproof.host.protocol.messages import Answer
from tinyproof.host.protocol.numbers import float_bits, float_from_bits
from tinyproof.host.session import layouts_of, open_session

Publish = Callable[[dict[str, Any]], None]

IDLE_S = 0.25  # between two questions when nothing changes: how soon an unplugged board is noticed
RETRY_S = 0.5  # between two attempts to reach a lost board
BURST = 8  # questions in a row when nothing changes: their times make the rate, and sleep is not part of it
RATE_WINDOW = 48  # answers that the shown rate averages over


class Conversation:
    """Owns the link, in a thread of its own. `publish` gets each message for the page, from that thread."""

    def __init__(self, board: Board, build_dir: Path, port: str | None, config: CheckConfig, publish: Publish) -> None:
        """Raises UsageError for a build that is incomplete or has not one input and one output."""
        self.board = board
        self.build_dir = build_dir
        self.port = port
        self.config = config
        self.manifest = read_manifest(build_dir)
        self._golden = golden(build_dir, self.manifest)
        self._publish = publish
        self._news = threading.Condition()
        self._x = 0.0
        self._changed = False
        self._stopping = False
        self._times: deque[float] = deque(maxlen=RATE_WINDOW)
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)

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

    def ask(self, x: float) -> None:
        """Sets the question. One that was not sent yet is forgotten."""
        with self._news:
            self._x, self._changed = x, True
            self._news.notify()

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
        with open_session(self.board, self.build_dir, self.port, self.config, manifest=self.manifest) as session:
            info = session.info
            self._times.clear()
            self._publish({"kind": "state", "connected": True, "board": info.board, "engine": info.engine})
            while not self._stopping:
                with self._news:
                    x, count = self._x, 1 if self._changed else BURST
                    self._changed = False
                for _ in range(count):
                    start = time.perf_counter()
                    answer = session.inference.from_real([x])
                    self._times.append(time.perf_counter() - start)
                    if self._changed:
                        break
                if answer is None:
                    raise UsageError(f"x = {x:g} does not fit a line of the board")
                self._publish(self._message(x, answer))
                with self._news:
                    if not self._changed and not self._stopping:
                        self._news.wait(IDLE_S)

    def _pause(self, seconds: float) -> None:
        with self._news:
            if not self._stopping:
                self._news.wait_for(lambda: self._stopping, seconds)

    def _message(self, x: float, answer: Answer) -> dict[str, Any]:
        source, sink = self.manifest.inputs[0], self.manifest.outputs[0]
        x_q, clamped = quantize(x, source.scale, source.zero_point), saturates(x, source.scale, source.zero_point)
        q, expected = answer.q[0], self._golden[x_q]
        y = dequantize(q, sink.scale, sink.zero_point)
        y_bits = float_bits(y) if answer.y_bits is None else answer.y_bits[0]
        return {
            "kind": "answer",
            "x": x,
            "x_q": x_q,
            "q": q,
            "q_bits": f"{q & 0xFF:08b}",
            "y": _finite(float_from_bits(y_bits)),
            "y_bits": f"{y_bits:08X}",
            "expected_q": expected,
            "identical": q == expected and y_bits == float_bits(dequantize(expected, sink.scale, sink.zero_point)),
            "saturated": "input" if clamped else "output" if at_end(q, sink.zero_point) else "",
            "ticks": answer.ticks,
            "unit": answer.unit,
            "rate": len(self._times) / sum(self._times),
        }

    def hello(self) -> dict[str, Any]:
        """What the page draws before any answer: the 256 golden points and, for a neuron, the float line."""
        source, sink = self.manifest.inputs[0], self.manifest.outputs[0]
        training = self.manifest.training
        points = [
            [source.scale * (x_q - source.zero_point), sink.scale * (q - sink.zero_point)]
            for x_q, q in sorted(self._golden.items())
        ]
        line = {"w": training.w, "b": training.b} if isinstance(training, NeuronTraining) else None
        return {
            "kind": "hello",
            "model": self.manifest.model,
            "model_id": self.manifest.model_id,
            "board": self.board.name,
            "step": source.scale,
            "points": points,
            "line": line,
        }


def golden(build_dir: Path, manifest: Manifest) -> dict[int, int]:
    """x_q -> q of the golden reference, for each of the 256 inputs. Raises UsageError for any other kind of model."""
    vectors, kind = read_vectors(build_dir)
    if (
        kind != "exhaustive"
        or len(manifest.inputs) != 1
        or len(manifest.outputs) != 1
        or manifest.outputs[0].bytes != 1
        or (manifest.inputs[0].dtype, manifest.outputs[0].dtype) != ("int8", "int8")
    ):
        raise UsageError(
            f"watch draws y against x, so it needs a model of one input and one output; {manifest.model} takes "
            f"{sum(tensor.bytes for tensor in manifest.inputs)} and gives "
            f"{sum(tensor.bytes for tensor in manifest.outputs)} (./tinyproof check asks any model)"
        )
    inputs, outputs = layouts_of(manifest)
    return {inputs.values(content)[0]: outputs.values(output)[0] for content, output in vectors}


def _finite(value: float) -> float | None:
    """JSON has no NaN; a board may send any 32 bits."""
    return value if abs(value) < float("inf") else None
