# SPDX-License-Identifier: Apache-2.0
"""Synthetic speech for the wake word: letters are tones at formants that glide into each other, hisses and pauses.

A voiced letter sums three tones, each of them damped anew by every period of the voice, which puts the voice's
harmonics around that formant (formant wave functions: Rodet, "Time-domain formant-wave-function synthesis", 1984).
Speakers differ in pitch, size of the mouth and tempo; levels and noise differ, too. Sounds are int16 at 16 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

RATE_HZ = 16_000
WORD = "sonata"
CONTROL_S = 0.005  # the mouth moves in steps of so long
# Formants in Hz after Peterson and Barney, "Control methods used in a study of the vowels", 1952; seconds; loudness.
VOICED = {
    "a": ((730.0, 1090.0, 2440.0), 0.130, 1.0),
    "e": ((530.0, 1840.0, 2480.0), 0.120, 0.9),
    "i": ((270.0, 2290.0, 3010.0), 0.110, 0.8),
    "o": ((570.0, 840.0, 2410.0), 0.130, 1.0),
    "u": ((300.0, 870.0, 2240.0), 0.120, 0.8),
    "n": ((250.0, 1300.0, 2500.0), 0.060, 0.35),
    "m": ((250.0, 900.0, 2200.0), 0.065, 0.35),
    "l": ((350.0, 1100.0, 2600.0), 0.060, 0.5),
}
# Lower and upper end of the hiss in Hz; seconds of silence before, and of the hiss; loudness.
HISSING = {
    "s": ((4000.0, 7500.0), 0.0, 0.090, 0.25),
    "f": ((1500.0, 7000.0), 0.0, 0.080, 0.12),
    "t": ((2500.0, 6000.0), 0.030, 0.020, 0.5),
    "k": ((1200.0, 3000.0), 0.030, 0.025, 0.5),
}
_FORMANT_LEVELS = (1.0, 0.5, 0.25)
_DAMPING_HZ = (70.0, 100.0, 150.0)  # half the width of each formant
# What is close to the word, or has its letters in another order: a detector must not take it for the word.
NEAR = (
    "natas",
    "tanoso",
    "satona",
    "notasa",
    "sonito",
    "sinata",
    "sofata",
    "sotana",
    "senata",
    "sonalu",
    "nata",
    "sona",
)
_LETTERS = ("aeiou", "nmlsftk")


@dataclass(frozen=True)
class Clip:
    """`samples`: int16 [n]. `end`: the sample with which the wake word ends, 0 where it is not said."""

    samples: Any
    end: int = 0


def speak(random: np.random.Generator, text: str) -> Any:
    """A word in a voice of its own, as float64 [n] with a peak of 1."""
    tempo, mouth = random.uniform(0.8, 1.25), random.uniform(0.88, 1.15)
    pitch_hz, fall = random.uniform(90.0, 260.0), random.uniform(0.0, 0.25)
    targets: list[tuple[float, ...]] = []  # of each control step: three formants in Hz, voice, hiss
    hiss = []
    for letter in text:
        length = random.uniform(0.85, 1.15) / tempo
        if letter in VOICED:
            formants, seconds, level = VOICED[letter]
            moved = [formant * mouth * random.uniform(0.97, 1.03) for formant in formants]
            targets += [(*moved, level, 0.0)] * max(1, round(seconds * length / CONTROL_S))
        else:
            band, pause, seconds, level = HISSING[letter]
            held = targets[-1][:3] if targets else (500.0, 1500.0, 2500.0)
            targets += [(*held, 0.0, 0.0)] * round(pause * length / CONTROL_S)
            first = len(targets)
            targets += [(*held, 0.0, level)] * max(1, round(seconds * length / CONTROL_S))
            hiss.append((first, len(targets), band))
    return _render(random, np.array(targets), hiss, pitch_hz, fall)


def _render(
    random: np.random.Generator,
    targets: Any,
    hiss: list[tuple[int, int, tuple[float, float]]],
    pitch_hz: float,
    fall: float,
) -> Any:
    step = round(CONTROL_S * RATE_HZ)
    count = len(targets) * step
    smooth = np.ones(5) / 5  # 25 ms: letters glide into each other
    padded = np.pad(targets, ((2, 2), (0, 0)), mode="edge")
    control = np.stack([np.convolve(column, smooth, mode="valid") for column in padded.T])
    at = np.arange(count) / step
    tracks = [np.interp(at, np.arange(len(targets)) + 0.5, row) for row in control]
    time = np.arange(count) / RATE_HZ
    wobble = 1 + 0.02 * np.sin(2 * np.pi * random.uniform(4.0, 6.0) * time)
    pitch = pitch_hz * (1 - fall * np.arange(count) / count) * wobble
    since_pulse = np.mod(np.cumsum(pitch) / RATE_HZ, 1.0) / pitch  # seconds
    sound = np.zeros(count)
    for formant, level, damping in zip(tracks[:3], _FORMANT_LEVELS, _DAMPING_HZ, strict=True):
        tone = np.sin(2 * np.pi * formant * since_pulse)
        sound += level * tone * np.exp(-2 * np.pi * damping * since_pulse)
    sound *= tracks[3]
    noise = np.zeros(count)
    for first, last, band in hiss:
        part = slice(first * step, last * step)
        noise[part] = _hiss(random, (last - first) * step, *band)
    sound += noise * tracks[4]
    fade = min(count // 2, RATE_HZ // 100)
    sound[:fade] *= np.linspace(0, 1, fade)
    sound[-fade:] *= np.linspace(1, 0, fade)
    return sound / max(float(np.abs(sound).max()), 1e-9)


def _hiss(random: np.random.Generator, count: int, low_hz: float, high_hz: float) -> Any:
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0
    sound = np.fft.irfft(spectrum, count)
    return sound / max(float(np.abs(sound).std()) * 2, 1e-9)


def background(random: np.random.Generator, count: int) -> Any:
    """Noise of one of several colours, and at times a hum: float64 [count] with an effective value of 1."""
    slope = random.choice((0.0, 0.5, 1.0))  # white, pink, brown
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum *= np.maximum(frequency, 60.0) ** -slope
    noise = np.fft.irfft(spectrum, count)
    noise /= noise.std()
    if random.random() < 0.3:
        time = np.arange(count) / RATE_HZ
        hum_hz = random.choice((50.0, 60.0, 120.0)) * random.uniform(1.0, 8.0)
        noise += random.uniform(0.3, 1.5) * np.sin(2 * np.pi * hum_hz * time)
    return noise / noise.std()


def other_word(random: np.random.Generator) -> str:
    """A word that is not the wake word and does not hold it: near to it in one of three cases."""
    if random.random() < 1 / 3:
        return str(random.choice(NEAR))
    vowels, consonants = (list(letters) for letters in _LETTERS)
    text = "".join(
        str(random.choice(letters)) for _ in range(random.integers(1, 5)) for letters in (consonants, vowels)
    )
    return other_word(random) if WORD in text else text


def clip(random: np.random.Generator, count: int, *, word: bool) -> Clip:
    """`count` samples of background, of other words in it, and of the wake word at its end where `word`.

    Levels: speech peaks 3 to 26 dB below full scale; the noise lies 10 to 40 dB below that peak.
    """
    speech = np.zeros(count)
    end, position = 0, 0
    if word:
        said = speak(random, WORD)[: count // 2 * 2]
        end = count - int(random.integers(count // 16, count // 5))
        speech[max(0, end - len(said)) : end] = said[-end:]
        limit = end - len(said) - RATE_HZ // 10
    else:
        limit = count
    while random.random() < 0.85:
        position += int(random.integers(RATE_HZ // 20, RATE_HZ // 3))
        other = speak(random, other_word(random)) * random.uniform(0.4, 1.0)
        if position + len(other) > limit:
            break
        speech[position : position + len(other)] += other
        position += len(other)
    peak = 10 ** (-random.uniform(3.0, 26.0) / 20)
    noise = 10 ** (-random.uniform(10.0, 40.0) / 20)
    sound = peak * (speech + noise * background(random, count))
    return Clip(np.clip(np.rint(sound * 32767), -32768, 32767).astype("<i2"), end)
