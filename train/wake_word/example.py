# SPDX-License-Identifier: Apache-2.0
"""The worked example from sounds to files: what `./tinyproof example wake-word` trains and measures.

Training sees the features that the device computes: the reference runs the front end's own operators on every sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyproof.core.reference.golden import Reference
from tinyproof.train.wake_word.front_end import FEATURE_SCALE, FEATURE_ZERO_POINT, HOP, front_end_alone
from tinyproof.train.wake_word.network import Training, probabilities, train_network
from tinyproof.train.wake_word.scores import Score, score
from tinyproof.train.wake_word.sounds import WORD, Clip, clip
from tinyproof.train.wake_word.streaming_file import write_streaming

FRAMES = 75  # of a sound: 1.5 s
SEED = 11
MODEL_FILE = "wake-word.tflite"
TEST_FILE = "wake-word-test.npz"
_SCENE_FRAMES = 500  # of the stream: then level and noise change

Progress = Callable[[str, int, int], None]  # (what is being done, how much of it, and all of it)


@dataclass(frozen=True)
class Effort:
    """How many sounds are made, how often each is learned from, and how long a stream without the word is heard."""

    training: int = 1800
    test: int = 200
    epochs: int = 12
    scenes: int = 90  # of the stream: 15 minutes


@dataclass(frozen=True)
class WakeWord:
    """What was written, and how the float network and the integer model do on sounds that training has not seen."""

    model: Path
    test: Path
    word: str
    float_score: Score
    integer_score: Score


def make_wake_word(folder: Path, effort: Effort | None = None, progress: Progress | None = None) -> WakeWord:
    """Make sounds, train, write the streaming .tflite and labelled test sounds to `folder`, and measure. Takes about a
    minute."""
    effort = effort or Effort()
    tell = progress or (lambda what, done, total: None)
    random = np.random.default_rng(SEED)
    front_end = Reference(front_end_alone())

    clips = _clips(random, effort.training, 3, "sounds", tell)
    x = _features(front_end, [each.samples for each in clips], "features", tell)
    end = np.array([each.end // HOP for each in clips])
    network = train_network(Training(x, end), SEED, effort.epochs, lambda done, total: tell("train", done, total))

    folder.mkdir(parents=True, exist_ok=True)
    model, test = folder / MODEL_FILE, folder / TEST_FILE
    model.write_bytes(write_streaming(network, x))

    tests = _clips(random, effort.test, 2, "sounds", tell)
    sounds = [each.samples for each in tests]
    said = np.array([int(each.end > 0) for each in tests])
    np.savez(test, x_q=np.stack(sounds).reshape(len(sounds), FRAMES, HOP), y=said)
    stream = _stream(random, effort.scenes, tell)
    detector = Reference(model.read_bytes())
    return WakeWord(
        *(model, test, WORD),
        float_score=score(
            probabilities(network, _features(front_end, sounds, "float", tell)),
            said,
            probabilities(network, _features(front_end, [stream], "float", tell))[0],
        ),
        integer_score=score(
            _answers(detector, sounds, "uint8", "int8", tell)[:, :, 0] / 256,
            said,
            _answers(detector, [stream], "uint8", "int8", tell)[0, :, 0] / 256,
        ),
    )


def _clips(random: np.random.Generator, count: int, period: int, what: str, tell: Progress) -> list[Clip]:
    """One of `period` with the word."""
    made = []
    for number in range(count):
        made.append(clip(random, FRAMES * HOP, word=number % period == 0))
        tell(what, number + 1, count)
    return made


def _stream(random: np.random.Generator, scenes: int, tell: Progress) -> Any:
    """Samples without the word, in scenes of different loudness."""
    made = []
    for number in range(scenes):
        made.append(clip(random, _SCENE_FRAMES * HOP, word=False).samples)
        tell("stream", number + 1, scenes)
    return np.concatenate(made)


def _features(front_end: Reference, sounds: list[Any], what: str, tell: Progress) -> Any:
    """What the network sees of sounds of the same length, each from a reset: float32 [sounds, frames, CHANNELS]."""
    q = _answers(front_end, sounds, "int8", what, tell).astype(np.float32)
    return np.float32(FEATURE_SCALE) * (q - np.float32(FEATURE_ZERO_POINT))


def _answers(reference: Reference, sounds: list[Any], dtype: str, what: str, tell: Progress) -> Any:
    """A model's answers to sounds of the same length, each from a reset: [sounds, frames, elements]."""
    found = []
    for number, samples in enumerate(sounds):
        content = samples.astype("<i2").tobytes()
        hops = [content[place : place + 2 * HOP] for place in range(0, len(content), 2 * HOP)]
        found.append([np.frombuffer(answer, dtype) for answer in reference.run_batch(hops)])
        tell(what, number + 1, len(sounds))
    return np.array(found)
