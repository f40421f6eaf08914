# SPDX-License-Identifier: Apache-2.0
"""TFLite Micro's signal operators but the FFT and the framing ones, signal/src/*.cc."""

from __future__ import annotations

import math

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, to_type, wrap
from tinyproof.core.tflite.flexbuffer import read_map

_WORD = 2**32


def options(op: BoundOperator) -> dict[str, int]:
    """Its options by their names."""
    return read_map(op.operator.custom_options)


@computes("CUSTOM SignalWindow")
def window(op: BoundOperator, x: Array, weights: Array) -> Array:
    """window.cc."""
    return to_type(x.reshape(-1, weights.size) * weights >> options(op)["shift"], "int16")


@computes("CUSTOM SignalFftAutoScale")
def fft_auto_scale(op: BoundOperator, x: Array) -> list[Array]:
    """fft_auto_scale.cc, with max_abs.cc: the magnitude of -2^15 becomes -2^15 in 16 bits."""
    largest = 0
    for value in x.reshape(-1).tolist():
        if value > largest:
            largest = value
        elif -value > largest:
            largest = -value if value > -(2**15) else value
    shift = 15 - largest.bit_length() if largest > 0 else 0
    scaled = wrap(x << shift, 16)
    return [scaled, np.array(shift, np.int64)]


@computes("CUSTOM SignalEnergy")
def energy(op: BoundOperator, x: Array) -> Array:
    """energy.cc; zeros where nothing is written."""
    option = options(op)
    chosen = slice(option["start_index"], option["end_index"])
    y = np.zeros(op.y.shape, np.int64)
    y[chosen] = (x[::2][: y.size] ** 2)[chosen] + (x[1::2][: y.size] ** 2)[chosen]
    return y


@computes("CUSTOM SignalFilterBank")
def filter_bank(
    op: BoundOperator, x: Array, weights: Array, unweights: Array, starts: Array, weight_starts: Array, widths: Array
) -> Array:
    """filter_bank.cc: a sum for what is before channel 0, which is dropped. Sums wrap around in 64 bits."""
    sums, carried = [], 0
    energies = [int(value) % _WORD for value in x]
    for start, first, width in zip(starts.tolist(), weight_starts.tolist(), widths.tolist(), strict=False):
        total, carried = carried, 0
        for place in range(width):
            total += int(weights[first + place]) * energies[start + place]
            carried += int(unweights[first + place]) * energies[start + place]
        sums.append(total % 2**64)
    return np.array(sums[1 : 1 + op.y.elements], np.uint64).astype(np.int64)


@computes("CUSTOM SignalFilterBankSquareRoot")
def square_root(op: BoundOperator, x: Array, bits: Array) -> Array:
    """square_root_32.cc and square_root_64.cc."""
    return np.array([_rounded_root(int(value) % 2**64) >> int(bits.item()) for value in x], np.int64)


def _rounded_root(number: int) -> int:
    root = math.isqrt(number)
    limit = 2**16 - 1 if number < _WORD else _WORD - 1
    return root + 1 if number - root * root > root and root != limit else root


@computes("CUSTOM SignalFilterBankSpectralSubtraction")
def spectral_subtraction(op: BoundOperator, x: Array) -> list[Array]:
    """filter_bank_spectral_subtraction.cc; every product in 64 bits, everything that is kept in 32."""
    option = options(op)
    bits, smoothing_bits = option["spectral_subtraction_bits"], option["smoothing_bits"]
    estimates = op.private.setdefault("noise", [0] * x.size)
    answers = []
    for i, energy_i in enumerate(int(value) % _WORD for value in x):
        kind = "alternate_" if i % 2 else ""
        new, old = option[f"{kind}smoothing"] % _WORD, option[f"{kind}one_minus_smoothing"] % _WORD
        signal = (energy_i << smoothing_bits) % _WORD
        estimates[i] = ((signal * new + estimates[i] * old) % 2**64 >> bits) % _WORD
        subtracted = min(estimates[i], signal)
        if option["clamping"]:
            estimates[i] = subtracted
        floor = (energy_i * (option["min_signal_remaining"] % _WORD) >> bits) % _WORD
        answers.append(max((signal - subtracted) >> smoothing_bits, floor))
    return [np.array(answers, np.int64), np.array(estimates, np.int64)]


@computes("CUSTOM SignalPCAN")
def pcan(op: BoundOperator, x: Array, noise: Array, gains: Array) -> Array:
    """pcan_argc_fixed.cc."""
    shift, table = options(op)["snr_shift"], gains.tolist()
    answers = []
    for signal, level in zip(x.tolist(), noise.tolist(), strict=False):
        gain = _wide_dynamic(level % _WORD, table) % _WORD
        snr = (signal % _WORD * gain >> shift) % _WORD
        answers.append((snr * snr % _WORD) >> 20 if snr < 2 << 12 else (snr >> 6) - 64)
    return np.array(answers, np.int64)


def _wide_dynamic(x: int, table: list[int]) -> int:
    """A parabola between powers of two; int16."""
    if x <= 2:
        return table[x]
    interval = x.bit_length()
    level, slope, bend = table[4 * interval - 6 : 4 * interval - 3]
    part = (x << 11 >> interval) & 0x3FF
    answer = level + ((((bend * part >> 5) + (slope << 5)) * part + 2**14) >> 15)
    return (answer + 2**15) % 2**16 - 2**15


@computes("CUSTOM SignalFilterBankLog")
def filter_bank_log(op: BoundOperator, x: Array) -> Array:
    """filter_bank_log.cc and log.cc."""
    option = options(op)
    shifted = [(int(value) << option["input_correction_bits"]) % _WORD for value in x]
    return np.array([min(_log(value, option["output_scale"]), 2**15 - 1) for value in shifted], np.int64)


def _log(x: int, scale: int) -> int:
    """log(x) * scale / 2^16, by a table of what log2(1 + i / 128) exceeds i / 128 by."""
    if x <= 1:
        return 0
    whole = x.bit_length() - 1
    part = ((x - (1 << whole)) << 16) >> whole
    place, rest = part >> 9, part & 511
    low, high = (math.floor(65536 * (math.log2(1 + i / 128) - i / 128) + 0.5) for i in (place, place + 1))
    log2 = (whole << 16) + part + low + ((high - low) * rest >> 16)
    natural = (45426 * log2 + 2**15) >> 16
    return ((scale * natural + 2**15) % _WORD) >> 16
