# SPDX-License-Identifier: Apache-2.0
"""The golden reference's answers to what a page asks, while it asks; all boards share them."""

from __future__ import annotations

import threading
from pathlib import Path

from tinyproof.core.manifest import Manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.host.expected import load_reference, read_vectors
from tinyproof.host.live.questions import Question
from tinyproof.host.session import layouts_of


class ExpectedAnswers:
    """May be asked from several threads: each board comes to a frame in its own time. `stateful`: whether an answer
    depends on those before it."""

    def __init__(self, build_dir: Path, manifest: Manifest) -> None:
        """Raises UsageError for a build that is incomplete."""
        self.inputs, self.outputs = layouts_of(manifest)
        vectors = read_vectors(build_dir)
        self.stateful = vectors.sequence
        self.exhaustive = vectors.kind == "exhaustive"
        self.known = {} if self.stateful else dict(vectors.pairs)
        self._build_dir, self._manifest = build_dir, manifest
        self._lock = threading.Lock()
        self._reference: Reference | None = None
        self._stream: Question | None = None  # its first
        self._answered: list[tuple[bytes, bytes]] = []  # to its frames, as far as any board has come

    def frame(self, question: Question, position: int) -> tuple[bytes, bytes]:
        """(input, right output) of a frame of the question's stream, after all those before it."""
        with self._lock:
            if question.first is not self._stream:
                self._stream, self._answered = question.first, []
            while len(self._answered) <= position:
                asked, index = question.at(len(self._answered))
                self._answered.append(self._next(asked.frames[index]))
            return self._answered[position]

    def _next(self, reals: tuple[float, ...]) -> tuple[bytes, bytes]:
        content = self.inputs.content(self.inputs.quantize(reals))
        if content in self.known:
            return content, self.known[content]
        if self._reference is None:
            self._reference = load_reference(self._build_dir, self._manifest)
        content = self._reference.admit(content)
        if not self._answered:
            self._reference.reset()
        return content, self._reference.run(content)
