# SPDX-License-Identifier: Apache-2.0
"""SignalRfft and SignalIrfft as KISS FFT 130 computes them in fixed point: kiss_fft.c and kiss_fftr.c with FIXED_POINT
16 or 32. Every value that is stored wraps around within its type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, wrap
from tinyproof.core.reference.kernels.signals import options
from tinyproof.core.tflite import fft
from tinyproof.core.tflite.dtypes import DTYPES

Complex = tuple[Array, Array]


@dataclass(frozen=True)
class _Arithmetic:
    bits: int

    def wrap(self, values: Array) -> Array:
        return wrap(values, self.bits)

    def round(self, products: Array) -> Array:
        """sround."""
        return self.wrap((products + (1 << (self.bits - 2))) >> (self.bits - 1))

    def divide(self, a: Complex, divisor: int) -> Complex:
        """C_FIXDIV."""
        factor = ((1 << (self.bits - 1)) - 1) // divisor
        return self.round(a[0] * factor), self.round(a[1] * factor)

    def multiply(self, a: Complex, b: Complex) -> Complex:
        """C_MUL."""
        return self.round(a[0] * b[0] - a[1] * b[1]), self.round(a[0] * b[1] + a[1] * b[0])

    def scale(self, a: Complex, factor: Array) -> Complex:
        """C_MULBYSCALAR."""
        return self.round(a[0] * factor), self.round(a[1] * factor)

    def add(self, a: Complex, b: Complex) -> Complex:
        return self.wrap(a[0] + b[0]), self.wrap(a[1] + b[1])

    def subtract(self, a: Complex, b: Complex) -> Complex:
        return self.wrap(a[0] - b[0]), self.wrap(a[1] - b[1])


def _turn(a: Complex) -> Complex:
    """By i."""
    return -a[1], a[0]


@dataclass(frozen=True)
class _Transform:
    """`length` complex values."""

    length: int
    numbers: _Arithmetic
    inverse: bool
    twiddles: Complex

    def run(self, x: Complex) -> Complex:
        return self._work(x, 1, fft.radices(self.length))

    def _work(self, x: Complex, stride: int, radices: list[int]) -> Complex:
        """kf_work: the smaller transforms of every `radix`-th value, then their butterflies."""
        radix, *others = radices
        size = x[0].size // radix
        parts = [(x[0][start::radix], x[1][start::radix]) for start in range(radix)]
        if others:
            parts = [self._work(part, stride * radix, others) for part in parts]
        parts = [self.numbers.divide(part, radix) for part in parts]
        u = np.arange(size)
        turned = [self.numbers.multiply(part, self._root(q * stride * u)) for q, part in enumerate(parts) if q]
        done = self._butterfly(parts[0], turned, stride * size)
        real, imaginary = (np.concatenate([part[axis] for part in done]) for axis in (0, 1))
        return real, imaginary

    def _root(self, number: Array | int) -> Complex:
        return self.twiddles[0][number], self.twiddles[1][number]

    def _butterfly(self, x0: Complex, x: list[Complex], apart: int) -> list[Complex]:
        n = self.numbers
        if len(x) == 1:
            return [n.add(x0, x[0]), n.subtract(x0, x[0])]
        if len(x) == 2:
            total = n.add(x[0], x[1])
            turned = _turn(n.scale(n.subtract(x[0], x[1]), self._root(apart)[1]))
            middle = n.subtract(x0, (total[0] >> 1, total[1] >> 1))
            return [n.add(x0, total), n.add(middle, turned), n.subtract(middle, turned)]
        if len(x) == 3:
            even, odd = n.add(x0, x[1]), n.add(x[0], x[2])
            across, turned = n.subtract(x0, x[1]), _turn(n.subtract(x[0], x[2]))
            first, second = n.subtract(across, turned), n.add(across, turned)
            if self.inverse:
                first, second = second, first
            return [n.add(even, odd), first, n.subtract(even, odd), second]
        (ar, ai), (br, bi) = self._root(apart), self._root(2 * apart)
        s7, s10 = n.add(x[0], x[3]), n.subtract(x[0], x[3])
        s8, s9 = n.add(x[1], x[2]), n.subtract(x[1], x[2])
        s5 = n.add(n.add(x0, n.scale(s7, ar)), n.scale(s8, br))
        s11 = n.add(n.add(x0, n.scale(s7, br)), n.scale(s8, ar))
        s6 = _turn(n.add(n.scale(s10, ai), n.scale(s9, bi)))
        s12 = _turn(n.subtract(n.scale(s10, bi), n.scale(s9, ai)))
        return [n.add(x0, n.add(s7, s8)), n.add(s5, s6), n.add(s11, s12), n.subtract(s11, s12), n.subtract(s5, s6)]


def _transform(op: BoundOperator, *, inverse: bool) -> tuple[_Transform, Complex]:
    """And the roots that take a real signal's halves apart."""
    bits, length = DTYPES[op.x.dtype].bits, options(op)["fft_length"] // 2
    twiddles = np.array(fft.roots(length, bits, inverse=inverse), np.int64).T
    halves = np.array(fft.real_roots(length, bits, inverse=inverse), np.int64).reshape(-1, 2).T
    return _Transform(length, _Arithmetic(bits), inverse, (twiddles[0], twiddles[1])), (halves[0], halves[1])


@computes("CUSTOM SignalRfft")
def rfft(op: BoundOperator, x: Array) -> Array:
    """kiss_fftr."""
    transform, halves = _transform(op, inverse=False)
    n, size = transform.numbers, transform.length
    k = np.arange(1, size // 2 + 1)
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        samples = np.zeros(2 * size, np.int64)
        samples[: row.size] = row
        real, imaginary = transform.run((samples[::2], samples[1::2]))
        y = np.zeros((size + 1, 2), np.int64)
        mean = n.divide((real[:1], imaginary[:1]), 2)
        y[0, 0], y[size, 0] = n.wrap(mean[0] + mean[1])[0], n.wrap(mean[0] - mean[1])[0]
        a = n.divide((real[k], imaginary[k]), 2)
        b = n.divide((real[size - k], n.wrap(-imaginary[size - k])), 2)
        f1, tw = n.add(a, b), n.multiply(n.subtract(a, b), halves)
        # int16 is added as int
        y[k] = np.stack([wrap(f1[axis] + tw[axis]) >> 1 for axis in (0, 1)], axis=-1)
        mirrored = (f1[0] - tw[0], tw[1] - f1[1])
        y[size - k] = np.stack([wrap(part) >> 1 for part in mirrored], axis=-1)
        rows.append(n.wrap(y).reshape(-1))
    return np.stack(rows)


@computes("CUSTOM SignalIrfft")
def irfft(op: BoundOperator, x: Array) -> Array:
    """kiss_fftri."""
    transform, halves = _transform(op, inverse=True)
    n, size = transform.numbers, transform.length
    k = np.arange(1, size // 2 + 1)
    rows = []
    for row in x.reshape(-1, x.shape[-1] // 2, 2):
        real, imaginary = row[: size + 1].T
        spectrum = np.zeros((2, size), np.int64)
        ends = n.wrap(np.stack([real[:1] + real[size:], real[:1] - real[size:]]))
        spectrum[:, :1] = n.divide((ends[0], ends[1]), 2)
        a = n.divide((real[k], imaginary[k]), 2)
        b = n.divide((real[size - k], n.wrap(-imaginary[size - k])), 2)
        even, odd = n.add(a, b), n.multiply(n.subtract(a, b), halves)
        spectrum[:, k] = n.add(even, odd)
        mirrored = n.subtract(even, odd)
        spectrum[:, size - k] = mirrored[0], n.wrap(-mirrored[1])
        rows.append(np.stack(transform.run((spectrum[0], spectrum[1])), axis=-1).reshape(-1))
    return np.stack(rows)
