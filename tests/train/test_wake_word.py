# SPDX-License-Identifier: Apache-2.0
"""The wake word's example: its sounds, its front end, and a streaming file that computes what Keras does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import effort
from support.op_cases import Case, run_natively
from support.shared_builds import made_once

from tinyproof.core.data_set import read_dataset
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower
from tinyproof.export.memory_planner import plan_memory
from tinyproof.train.wake_word import sounds
from tinyproof.train.wake_word.example import FRAMES, Effort, make_wake_word
from tinyproof.train.wake_word.front_end import (
    CHANNELS,
    FEATURE_SCALE,
    FEATURE_ZERO_POINT,
    FFT,
    HIGH_HZ,
    HOP,
    LOW_HZ,
    filter_bank,
    front_end_alone,
    gains,
    mel,
)
from tinyproof.train.wake_word.network import Training, build_network, probabilities, train_network
from tinyproof.train.wake_word.scores import detections, score
from tinyproof.train.wake_word.streaming_file import write_streaming

LITTLE = Effort(training=96, test=12, epochs=2, scenes=1)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the example with hardly any training."""
    return made_once(tmp_path_factory, "wake_word", lambda root: make_wake_word(root, LITTLE) and None)


def hops(samples: Any) -> list[bytes]:
    content = samples.astype("<i2").tobytes()
    return [content[place : place + 2 * HOP] for place in range(0, len(content), 2 * HOP)]


@pytest.mark.nightly
def test_it_repeats_to_the_byte(example: Path, tmp_path: Path) -> None:
    again = make_wake_word(tmp_path, LITTLE)
    for path in (again.model, again.test):
        assert path.read_bytes() == (example / path.name).read_bytes(), path.name
    assert again.integer_score.sounds == LITTLE.test
    assert again.integer_score.stream_s == 10 * LITTLE.scenes


@pytest.mark.nightly
def test_whole_it_hears_the_word_and_little_else(tmp_path: Path) -> None:
    made = make_wake_word(tmp_path)
    for found in (made.float_score, made.integer_score):
        assert found.share >= 0.97
        assert found.accepts_per_hour <= 30


@pytest.mark.nightly
def test_the_test_sounds_are_what_check_takes(example: Path) -> None:
    graph = read_graph((example / "wake-word.tflite").read_bytes())
    program = lower(graph)
    dataset = read_dataset(example / "wake-word-test.npz", program.inputs, sequences=True)
    assert (len(dataset), dataset.frames) == (LITTLE.test, FRAMES)
    assert sorted(set(dataset.y.tolist())) == [0, 1]
    assert [tensor.dtype for tensor in (*program.inputs, *program.outputs)] == ["int16", "uint8"]
    assert 2048 < plan_memory(program).arena_bytes < 4096


def test_sounds_differ_and_the_word_is_in_them_where_it_is_said_to_end() -> None:
    said = [sounds.clip(np.random.default_rng(seed), FRAMES * HOP, word=True) for seed in range(8)]
    assert len({each.samples.tobytes() for each in said}) == len(said)
    for each in said:
        assert each.samples.dtype == np.dtype("<i2")
        assert len(each.samples) // 2 < each.end < len(each.samples)
        before, after = each.samples[each.end - 3200 : each.end - 320], each.samples[each.end + 320 :]
        assert before.astype(float).std() > 1.3 * after.astype(float).std()
    assert sounds.clip(np.random.default_rng(1), 8000, word=False).end == 0
    assert all(sounds.WORD not in sounds.other_word(np.random.default_rng(seed)) for seed in range(300))
    assert not any(sounds.WORD in near for near in sounds.NEAR)


def test_a_voice_has_the_pitch_and_the_formants_that_its_letter_says() -> None:
    spectrum = np.abs(np.fft.rfft(np.concatenate([sounds.speak(np.random.default_rng(3), "iiii") for _ in range(4)])))
    frequency = np.fft.rfftfreq(2 * len(spectrum) - 2, 1 / sounds.RATE_HZ)
    low, gap, high = (
        spectrum[(frequency >= low) & (frequency < high)].mean()
        for low, high in ((200, 450), (900, 1500), (1900, 2700))
    )
    assert low > 2 * gap
    assert high > 1.5 * gap


def test_the_bands_give_every_bin_away_once() -> None:
    weights, rest, first_bins, first_weights, widths = filter_bank()
    assert [w + r for w, r in zip(weights, rest, strict=True)] == [4096] * len(weights)
    bins = [i for first, width in zip(first_bins, widths, strict=True) for i in range(first, first + width)]
    hz = sounds.RATE_HZ / FFT
    assert bins == list(range(math.ceil(LOW_HZ / hz), math.ceil(HIGH_HZ / hz)))
    assert first_weights == [sum(widths[:band]) for band in range(CHANNELS + 1)]


def test_the_gains_parabolas_follow_the_power_law() -> None:
    """TFLite Micro's own evaluation of the table (pcan_argc_fixed.cc), against the law itself."""
    table = gains()
    assert len(table) == 125
    for noise in (2, 3, 100, 5000, 70_000, 3_000_000, 2**31):
        interval = noise.bit_length()
        y0, a1, a2 = table[4 * interval - 6 : 4 * interval - 3]
        part = (noise << 11 - interval if interval < 11 else noise >> interval - 11) & 0x3FF
        found = y0 + ((a2 * part >> 5) + (a1 << 5)) * part / 2**15
        right = 2**21 * (noise / 128 + 80) ** -0.95
        assert found == pytest.approx(min(right, 32767), rel=0.02, abs=1.5)


@pytest.mark.parametrize("channel", [3, 12, 25, 36])
def test_a_tone_is_loudest_in_its_own_channel(channel: int) -> None:
    step = (mel(HIGH_HZ) - mel(LOW_HZ)) / (CHANNELS + 1)
    tone_hz = 700 * math.expm1((mel(LOW_HZ) + (channel + 1) * step) / 1127)
    samples = np.rint(8000 * np.sin(2 * np.pi * tone_hz / sounds.RATE_HZ * np.arange(4 * HOP)))
    answer = Reference(front_end_alone()).run_batch(hops(samples))[-1]
    assert abs(int(np.frombuffer(answer, np.int8).argmax()) - channel) <= 1


def test_the_streaming_file_computes_what_keras_does_on_whole_clips() -> None:
    """Keras pads its clips with zeros, the file keeps the last rows: int8 is all that may tell them apart."""
    random = np.random.default_rng(5)
    clips = [sounds.clip(random, FRAMES * HOP, word=bool(number % 2)) for number in range(32)]
    front_end = Reference(front_end_alone())
    q = np.array([[np.frombuffer(y, np.int8) for y in front_end.run_batch(hops(clip.samples))] for clip in clips])
    x = np.float32(FEATURE_SCALE) * (q.astype(np.float32) - FEATURE_ZERO_POINT)
    network = train_network(Training(x, np.array([clip.end // HOP for clip in clips])), 3, 100)
    right = probabilities(network, x)
    assert right.max() - right.min() > 0.5, "it has learned nothing: that would be easy to agree with"
    streaming = Reference(write_streaming(network, x))
    ours = np.array([[y[0] / 256 for y in streaming.run_batch(hops(clip.samples))] for clip in clips])
    assert np.abs(ours - right).mean() < 0.01
    assert ((ours.max(axis=1) >= 0.5) == (right.max(axis=1) >= 0.5)).mean() > 0.9


SCENES = effort.examples(2, at_night=20)  # of 500 frames each


@pytest.mark.parametrize("dsp", [pytest.param(False, marks=pytest.mark.nightly), True], ids=["plain", "dsp"])
def test_thousands_of_frames_of_sound_are_those_of_tflite_micro(example: Path, dsp: bool) -> None:
    tflite = (example / "wake-word.tflite").read_bytes()
    random = np.random.default_rng(8)
    scenes = [sounds.clip(random, 500 * HOP, word=bool(number % 2)).samples for number in range(SCENES)]
    frames = hops(np.concatenate(scenes))
    assert len(frames) == 500 * SCENES
    expected = Reference(tflite, "tflite-micro").run_batch(frames)
    assert len(set(expected)) > 5, "its answers are hardly ever different"
    (answers,) = run_natively([Case("a wake word", tflite, tuple(frames))], dsp=dsp)
    assert answers == expected


def test_the_python_reference_hears_alike(example: Path) -> None:
    tflite = (example / "wake-word.tflite").read_bytes()
    frames = hops(sounds.clip(np.random.default_rng(9), 30 * HOP, word=False).samples)
    assert Reference(tflite, "python").run_batch(frames) == Reference(tflite, "tflite-micro").run_batch(frames)


def test_scores_count_what_is_missed_and_what_is_heard_twice() -> None:
    sounds_p = [[0.1, 0.5], [0.2, 0.4], [0.9, 0.1], [0.0, 0.0]]
    stream = np.zeros(500)
    stream[[10, 11, 59, 60, 400]] = 0.7
    assert detections(stream) == 3
    found = score(sounds_p, [1, 1, 0, 0], stream)
    assert (found.missed, found.false, found.accepts, found.stream_s) == (1, 1, 3, 10.0)
    assert found.share == 0.5
    assert found.accepts_per_hour == 3 * 360


def test_the_network_sees_only_the_past() -> None:
    network = build_network(20)
    random = np.random.default_rng(1)
    x = random.uniform(0, 10, (1, 20, CHANNELS)).astype(np.float32)
    changed = x.copy()
    changed[0, 12:] = 0
    before, after = (np.asarray(network(each))[0] for each in (x, changed))
    np.testing.assert_array_equal(before[:12], after[:12])
    assert np.abs(before[12:] - after[12:]).max() > 0
