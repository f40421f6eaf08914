# SPDX-License-Identifier: Apache-2.0
"""From samples to features by TFLite Micro's signal operators: the recipe of its micro_speech example.

A frame of 30 ms every 20 ms, a Hann window, a spectrum of 512 points, the energy in 40 channels that lie evenly in mel,
its square root, noise subtracted, gain controlled by channel (PCAN: Wang et al., "Trainable frontend for robust and
far-field keyword spotting", 2017), and a logarithm. What is kept between two frames lives in the operators.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from tinyproof.core.tflite.writer import Model
from tinyproof.train.wake_word.sounds import RATE_HZ

HOP = 320  # samples between two frames
FRAMES_PER_SECOND = RATE_HZ // HOP
FRAME = 480  # samples of a frame
FFT = 512
CHANNELS = 40
LOW_HZ, HIGH_HZ = 125.0, 7500.0
FEATURE_SCALE = 0.0425  # of the int8 features, natural logarithms from 0 to 10.8
FEATURE_ZERO_POINT = -128

_BINS = FFT // 2 + 1
_WEIGHT_ONE = 1 << 12  # of the filter bank's weights and of the window
_SMOOTHING_BITS, _CORRECTION_BITS = 10, 3
_SUBTRACTION_ONE = 1 << 14
_GAIN_BITS, _GAIN_OFFSET, _GAIN_STRENGTH = 21, 80.0, 0.95
_SNR_BITS = 12
_LOG_SCALE = 1600


def add_front_end(model: Model) -> int:
    """The operators from the model's input, int16 [1, HOP], to int8 features [1, 1, CHANNELS, 1]; returns those."""
    samples = model.input((1, HOP), dtype="int16")
    frame, valid = model.tensor((1, 1, FRAME), dtype="int16"), model.tensor((), dtype="bool")
    model.add_signal("Framer", [samples], [frame, valid], frame_size=FRAME, frame_step=HOP, prefill=True)
    shaped = model.tensor((1, 1, FRAME), dtype="int16")
    model.add_signal("Window", [frame, _table(model, window())], [shaped], shift=12)
    flat, scaled = (model.tensor((FRAME,), dtype="int16") for _ in range(2))
    shift = model.tensor((), dtype="int32")
    model.add("RESHAPE", [shaped, model.tensor((1,), values=[FRAME], dtype="int32")], [flat])
    model.add_signal("FftAutoScale", [flat], [scaled, shift])
    spectrum, energies = model.tensor((2 * _BINS,), dtype="int16"), model.tensor((_BINS,), dtype="uint32")
    model.add_signal("Rfft", [scaled], [spectrum], T=7, fft_length=FFT)  # 7: int16
    model.add_signal("Energy", [spectrum], [energies], end_index=_BINS, start_index=0)
    sums = model.tensor((CHANNELS,), dtype="uint64")
    tables = [_table(model, values) for values in filter_bank()]
    model.add_signal("FilterBank", [energies, *tables], [sums], num_channels=CHANNELS)
    roots, clean, noise, level = (model.tensor((CHANNELS,), dtype="uint32") for _ in range(4))
    model.add_signal("FilterBankSquareRoot", [sums, shift], [roots])
    model.add_signal("FilterBankSpectralSubtraction", [roots], [clean, noise], **_subtraction())
    snr_shift = _GAIN_BITS - _CORRECTION_BITS - _SNR_BITS
    model.add_signal("PCAN", [clean, noise, _table(model, gains())], [level], snr_shift=snr_shift)
    logs = model.tensor((CHANNELS,), 1 / _LOG_SCALE, 0, dtype="int16")
    model.add_signal("FilterBankLog", [level], [logs], input_correction_bits=_CORRECTION_BITS, output_scale=_LOG_SCALE)
    features = model.tensor((CHANNELS,), FEATURE_SCALE, FEATURE_ZERO_POINT)
    model.add("QUANTIZE", [logs], [features])
    rows = model.tensor((1, 1, CHANNELS, 1), FEATURE_SCALE, FEATURE_ZERO_POINT)
    model.add("RESHAPE", [features, model.tensor((4,), values=[1, 1, CHANNELS, 1], dtype="int32")], [rows])
    return rows


def front_end_alone() -> bytes:
    """The .tflite file that ends with the features."""
    model = Model()
    return model.build(add_front_end(model))


def window() -> list[int]:
    """A Hann window of FRAME weights, 12 bits behind the point."""
    return [round(_WEIGHT_ONE * (0.5 - 0.5 * math.cos(math.tau * (i + 0.5) / FRAME))) for i in range(FRAME)]


def filter_bank() -> tuple[list[int], list[int], list[int], list[int], list[int]]:
    """Weights, what is left of one beside them, and of each band its first bin, its first weight and its bins.

    Band i falls from the centre of channel i to that of the next: a bin's weight goes to channel i - 1, the rest to
    channel i. What the first band weighs belongs to no channel.
    """
    low, high = mel(LOW_HZ), mel(HIGH_HZ)
    edges = [low + (high - low) * i / (CHANNELS + 1) for i in range(CHANNELS + 2)]
    places = [mel(i * RATE_HZ / FFT) for i in range(_BINS)]
    weights: list[int] = []
    first_bins, first_weights, widths = [], [], []
    for lower, upper in itertools.pairwise(edges):
        bins = [i for i, place in enumerate(places) if lower <= place < upper]
        first_bins.append(bins[0] if bins else 0)
        first_weights.append(len(weights))
        widths.append(len(bins))
        weights += [round(_WEIGHT_ONE * (upper - places[i]) / (upper - lower)) for i in bins]
    return weights, [_WEIGHT_ONE - weight for weight in weights], first_bins, first_weights, widths


def mel(frequency_hz: float) -> float:
    """Pitch as it is heard."""
    return 1127.0 * math.log1p(frequency_hz / 700.0)


def gains() -> list[int]:
    """PCAN's gain by the estimate of noise: values at 0 and 1, and for each power of two a parabola's three numbers,
    with one place free behind them."""

    def gain(noise: int) -> int:
        level = noise / (1 << (_SMOOTHING_BITS - _CORRECTION_BITS))
        return min(32767, math.floor((1 << _GAIN_BITS) / math.pow(level + _GAIN_OFFSET, _GAIN_STRENGTH) + 0.5))

    table = [gain(0), gain(1)]
    for power in range(1, 32):
        low = 1 << power
        high = 2 * low - (power == 31)
        first, middle, last = gain(low), gain(low + low // 2), gain(high)
        slope = 4 * (middle - first) - (last - first)
        table += [first, slope, last - first - slope, 0]
    return table[:-1]


def _subtraction() -> dict[str, int]:
    """Odd channels forget their noise faster than even ones, as the recipe has it."""
    even, odd = round(0.025 * _SUBTRACTION_ONE), round(0.06 * _SUBTRACTION_ONE)
    return {
        "alternate_one_minus_smoothing": _SUBTRACTION_ONE - odd,
        "alternate_smoothing": odd,
        "clamping": 0,
        "min_signal_remaining": round(0.05 * _SUBTRACTION_ONE),
        "num_channels": CHANNELS,
        "one_minus_smoothing": _SUBTRACTION_ONE - even,
        "smoothing": even,
        "smoothing_bits": _SMOOTHING_BITS,
        "spectral_subtraction_bits": 14,
    }


def _table(model: Model, values: Sequence[int]) -> int:
    return model.tensor((len(values),), values=values, dtype="int16")
