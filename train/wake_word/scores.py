# SPDX-License-Identifier: Apache-2.0
"""How well a detector does: what it misses, and how often it hears what nobody said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyproof.train.wake_word.front_end import FRAMES_PER_SECOND

THRESHOLD = 0.5
DEAD_FRAMES = FRAMES_PER_SECOND  # a second after a detection belongs to it


@dataclass(frozen=True)
class Score:
    """`sounds`: of which each has the word or not; the detector heard it if any frame reached THRESHOLD. `accepts`:
    detections in a stream of `stream_s` seconds without the word."""

    sounds: int
    missed: int
    false: int
    accepts: int
    stream_s: float

    @property
    def share(self) -> float:
        """Of the sounds, those that it judged rightly."""
        return (self.sounds - self.missed - self.false) / self.sounds

    @property
    def accepts_per_hour(self) -> float:
        """False accepts by the hour of the stream."""
        return self.accepts * 3600 / self.stream_s

    def as_dict(self) -> dict[str, float]:
        """For --json."""
        return {
            "sounds": self.sounds,
            "missed": self.missed,
            "false": self.false,
            "share": self.share,
            "stream_s": self.stream_s,
            "false_accepts": self.accepts,
            "false_accepts_per_hour": self.accepts_per_hour,
        }


def score(sounds: Any, said: Any, stream: Any) -> Score:
    """Probabilities by frame of sounds [n, frames] and of the stream [frames]; `said`: 0 or 1 for each sound."""
    heard = np.asarray(sounds).max(axis=1) >= THRESHOLD
    said = np.asarray(said, bool)
    return Score(
        sounds=len(said),
        missed=int((said & ~heard).sum()),
        false=int((heard & ~said).sum()),
        accepts=detections(stream),
        stream_s=len(stream) / FRAMES_PER_SECOND,
    )


def detections(probabilities: Any) -> int:
    """How often a stream of frames reaches THRESHOLD, without what follows within a second."""
    count, free_from = 0, 0
    for place in np.flatnonzero(np.asarray(probabilities) >= THRESHOLD).tolist():
        if place >= free_from:
            count += 1
            free_from = place + DEAD_FRAMES
    return count
