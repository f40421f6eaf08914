# SPDX-License-Identifier: Apache-2.0
"""Inputs that a board makes itself: input `index` of `seed`, in NumPy what firmware/lib/protocol/many.c makes in C.

docs/protocol.md says how, under "Many at once"; a test holds the two to the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.tflite.dtypes import DTYPES

VERSION = 1  # what a board announces; other inputs would be another one's
SEED_MAX = 2**31 - 1
FACTOR = np.uint32(0x045D9F3B)
KINDS = 4  # by the input's number modulo this; every eighth has extremes instead of a ramp
UNIFORM, NEAR_ZERO_POINT, ONE_ELEMENT, RAMP, EXTREMES = range(5)

_Words = np.ndarray[Any, np.dtype[np.uint32]]


def make_input(tensors: Sequence[TensorSpec], seed: int, index: int) -> bytes:
    """The bytes of all input tensors, one after the other. `seed` and `index`: 0 to SEED_MAX."""
    elements = sum(tensor.elements for tensor in tensors)
    key: _Words = mix(mix(np.array([seed], dtype=np.uint32)) + np.uint32(index))
    places: _Words = np.arange(elements, dtype=np.uint32)
    random = mix(key + places).view(np.int32)
    kind = EXTREMES if index % 8 == 7 else index % KINDS
    chosen = index // 4 % elements
    parts, first = [], 0
    for tensor in tensors:
        mine = slice(first, first + tensor.elements)
        values = _values(tensor, kind, key, random[mine], places[mine], chosen)
        if tensor.dtype == "bool":
            values &= np.int32(1)
        parts.append(values.astype(np.int64).astype(f"<i{tensor.bytes // tensor.elements}").tobytes())
        first += tensor.elements
    return b"".join(parts)


def digest_of(content: bytes, output: bytes) -> int:
    """CRC-32 of an inference, its input and its output."""
    return zlib.crc32(output, zlib.crc32(content))


def digest_of_all(digests: Iterable[int]) -> int:
    """CRC-32 of those of several inferences, as a board answers it."""
    return zlib.crc32(np.fromiter(digests, dtype="<u4").tobytes())


def mix(x: _Words) -> _Words:
    """firmware/lib/engine/mix32.h: it wraps at 32 bits, as NumPy's arrays of uint32 do."""
    for _ in range(2):
        x = (x ^ (x >> np.uint32(16))) * FACTOR
    return x ^ (x >> np.uint32(16))


def _values(tensor: TensorSpec, kind: int, key: _Words, random: Any, places: _Words, chosen: int) -> Any:
    """int32, of which the type's lowest bytes count."""
    dtype = DTYPES["int32" if tensor.dtype == "int64" else tensor.dtype]
    wide = tensor.bytes > tensor.elements
    if kind == NEAR_ZERO_POINT:
        shift = 16 + int(key[0]) % 16 if wide else 24 + int(key[0]) % 8
        near = tensor.zero_point + (random >> np.int32(shift)).astype(np.int64)
        return near.clip(dtype.low, dtype.high).astype(np.int32)
    if kind == ONE_ELEMENT:
        return np.where(places == chosen, random, np.int32(tensor.zero_point))
    if kind == RAMP:
        return (key + places * (key >> np.uint32(24))).view(np.int32)
    if kind == EXTREMES:
        return np.where(random < 0, dtype.low, dtype.high).astype(np.int32)
    return random.copy()
