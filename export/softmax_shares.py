# SPDX-License-Identifier: Apache-2.0
"""Of all sums of exponentials that a row of SOFTMAX can have, those at which a share becomes another byte.

A sum is Q12.19, an exponential Q0.31, as in TFLite Micro's reference/softmax.h.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyproof.core.tflite.arithmetic import BYTE_DISTANCES
from tinyproof.core.tflite.fixed_point import RECIPROCAL_SLOPE, RECIPROCAL_START, rounding_shift_right

SUM_BITS, SHARE_BITS = 12, 31 - 8  # integer bits of a sum; a share becomes 8 bits
NEAR = 2  # last bits of a share between two bytes

Array = Any  # of int64


def critical_sums(exponentials: Sequence[int], least: int, most: int) -> list[tuple[int, int]]:
    """Sums and distances of which the share is NEAR to where it would become another byte."""
    sums, distances = _between_bytes(exponentials, least, most)
    return _pairs(sums, distances, _is_near(sums, exponentials, distances))


def sums_before_a_step(exponentials: Sequence[int], least: int, most: int) -> list[tuple[int, int]]:
    """Sums and distances of which the next sum makes a lesser byte, in order."""
    sums, distances = _between_bytes(exponentials, least, most - 1)
    here, there = (_byte(sums + more, exponentials, distances) for more in (0, 1))
    return _pairs(sums, distances, here > there)


def telling_distances(exponentials: Sequence[int], rows: Sequence[Sequence[int]]) -> list[int]:
    """How far above each row a byte makes other answers of it if it is taken for the row's maximum: the least such
    distance; 0 where no byte does. `rows`: distances to the maximum, [rows, depth]."""
    distances = np.array(rows, np.int64)
    found = np.zeros(len(distances), np.int64)
    right = _answers(exponentials, distances)
    for above in range(1, len(exponentials)):
        left = np.flatnonzero((found == 0) & (distances.max(axis=1) + above < BYTE_DISTANCES))
        if left.size == 0:
            break
        wrong = (_answers(exponentials, distances[left] + above) != right[left]).any(axis=1)
        found[left[wrong]] = above
    return [int(one) for one in found]


def _answers(exponentials: Sequence[int], distances: Array) -> Array:
    """Of rows: reference/softmax.h. In each row one distance at least must be that of an exponential."""
    near = distances < len(exponentials)
    kept = np.where(near, distances, 0)
    terms = np.array([rounding_shift_right(value, SUM_BITS) for value in exponentials], np.int64)
    sums = np.where(near, terms[kept], 0).sum(axis=1, keepdims=True)
    return np.where(near, _byte(sums, exponentials, kept), 0)


def _pairs(sums: Array, distances: Array, chosen: Array) -> list[tuple[int, int]]:
    """Those that are chosen, each once."""
    return list(dict.fromkeys(zip(sums[chosen].tolist(), distances[chosen].tolist(), strict=True)))


def _between_bytes(exponentials: Sequence[int], least: int, most: int) -> tuple[Array, Array]:
    """For each distance and byte the sums about the one of that share, from `least` up to `most`, and that distance."""
    numbers = np.array(exponentials, np.float64)
    shares = np.arange(256) + 0.5
    ideal = np.floor(numbers[:, None] / (1 << SUM_BITS) * 256 / shares).astype(np.int64)
    sums = ideal[:, :, None] + np.arange(-NEAR, NEAR + 1)
    inside = (sums >= least) & (sums <= most)
    return sums[inside], np.nonzero(inside)[0]


def _share(sums: Array, exponentials: Sequence[int], distances: Array) -> tuple[Array, Array]:
    """Products of which a byte is 2 * the second."""
    headroom = 32 - np.frexp(sums.astype(np.float64))[1].astype(np.int64)
    scale = _reciprocal((sums << headroom) - (1 << 31))
    product = _multiply(scale, np.array(exponentials, np.int64)[distances])
    return product, np.left_shift(1, SUM_BITS - headroom + SHARE_BITS - 1)


def _is_near(sums: Array, exponentials: Sequence[int], distances: Array) -> Array:
    product, half = _share(sums, exponentials, distances)
    return np.abs((product & (2 * half - 1)) - half) <= NEAR


def _byte(sums: Array, exponentials: Sequence[int], distances: Array) -> Array:
    product, half = _share(sums, exponentials, distances)
    return ((product + half) // (2 * half)).clip(max=255)


def _multiply(a: Array, b: Array | int) -> Array:
    """fixed_point.doubling_high_multiply of many, none of them INT32_MIN."""
    return (a * b + (1 << 30)) >> 31


def _reciprocal(fraction: Array) -> Array:
    """fixed_point.one_over_one_plus of many."""
    half = (fraction + (1 << 31)) >> 1
    x = RECIPROCAL_START + _multiply(half, RECIPROCAL_SLOPE)
    for _ in range(3):
        x = x + 4 * _multiply(x, (1 << 29) - _multiply(half, x))
    return (2 * x).clip(max=(1 << 31) - 1)


def rows_of_three(exponentials: Sequence[int], seed: int, most: int) -> list[tuple[int, int, int]]:
    """Of all rows of three those of which a share is NEAR to another byte, and some at a step."""
    terms = np.array([rounding_shift_right(value, SUM_BITS) for value in exponentials], np.int64)
    a, b = np.triu_indices(len(terms))
    sums = terms[0] + terms[a] + terms[b]
    near, step = np.zeros(len(a), bool), np.zeros(len(a), bool)
    for one in (np.zeros_like(a), a, b):
        near |= _is_near(sums, exponentials, one)
        here = _byte(sums, exponentials, one)
        step |= (here > _byte(sums + 1, exponentials, one)) | (here < _byte(sums - 1, exponentials, one))
    chosen = [*np.flatnonzero(near), *np.random.default_rng(seed).permutation(np.flatnonzero(step & ~near))]
    return [(0, int(a[one]), int(b[one])) for one in chosen[:most]]
