# SPDX-License-Identifier: Apache-2.0
"""Inputs that say more than noise. Random bytes drive a network to its ends, where a changed weight changes nothing:
patterns with a structure, values near the zero point, and a user's own samples keep it in between.

All are made of integers and of random.Random's bytes, so that a seed means the same inputs on every machine.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.ends import QUANTIZED
from tinyproof.core.tflite.graph import Tensor

Array = npt.NDArray[np.int64]

PATTERNED = ("int8", "uint8", "int16")  # wider integers are counts and places, which have no ends to go to
FLAT_CHANNELS = 4  # of which each is at an end once
HOT_PLACES = 6
GRAINS = (1, 2, 3, 5)  # sides of a checkerboard's fields
PERIODS = (4, 7, 16, 37)  # of waves
AMPLITUDES = (1, 2, 4, 8, 16, 32, 48, 64)  # of noise around the zero point, in 1/128 of the type's reach


def structured(tensors: Sequence[Tensor], count: int, seed: int) -> list[bytes]:
    """`count` inputs, of each tensor another pattern where there are several: flat ones, one-hot ones, ramps,
    checkerboards, waves, and one channel at its end."""
    source = random.Random(f"{seed} structured")
    streams = [itertools.cycle(_shuffled_tail(list(_patterns(tensor, source)), source)) for tensor in tensors]
    for place, stream in enumerate(streams):  # otherwise equal inputs would always be equal
        for _ in range(3 * place):
            next(stream)
    found = []
    for _ in range(count):
        parts = []
        for tensor, stream in zip(tensors, streams, strict=True):
            pattern = next(stream)
            parts.append(source.randbytes(tensor.bytes) if pattern is None else as_bytes(pattern, tensor))
        found.append(b"".join(parts))
    return found


def low(tensors: Sequence[Tensor], count: int, seed: int) -> list[bytes]:
    """`count` inputs of noise around the zero point, of amplitudes that grow, every other one sparse."""
    source = random.Random(f"{seed} low")
    found = []
    for number in range(count):
        amplitude, sparse = AMPLITUDES[number % len(AMPLITUDES)], number % 2 == 1
        found.append(b"".join(_noise(tensor, amplitude, source, sparse=sparse) for tensor in tensors))
    return found


def blends(inputs: Sequence[bytes], tensors: Sequence[Tensor], count: int, seed: int) -> list[bytes]:
    """`count` inputs, each half of one and half of another of `inputs`."""
    source = random.Random(f"{seed} blends")
    return [middle(source.choice(inputs), source.choice(inputs), tensors) for _ in range(count)]


def middle(first: bytes, second: bytes, tensors: Sequence[Tensor]) -> bytes:
    """Half of each, element by element; counts and places are those of `first`."""
    pairs = zip(parts_of(first, tensors), parts_of(second, tensors), tensors, strict=True)
    return b"".join(as_bytes((a + b) // 2 if t.dtype in PATTERNED else a, t) for a, b, t in pairs)


def neighbour(content: bytes, other: bytes, tensors: Sequence[Tensor], source: random.Random) -> bytes:
    """`content` with a small change: noise on a stretch of it, a stretch of `other`, or all of it nearer to or farther
    from the zero point."""
    parts = []
    chosen = source.randrange(len(tensors))
    for place, (values, theirs, tensor) in enumerate(
        zip(parts_of(content, tensors), parts_of(other, tensors), tensors, strict=True)
    ):
        if place == chosen:
            values = _changed(values, theirs, tensor, source)
        parts.append(as_bytes(values, tensor))
    return b"".join(parts)


def _changed(values: Array, theirs: Array, tensor: Tensor, source: random.Random) -> Array:
    start = source.randrange(values.size)
    size = max(1, values.size // source.choice((1, 2, 4, 8, 16, 64)))
    stretch = (start + np.arange(size)) % values.size
    kind = source.randrange(3) if tensor.dtype in PATTERNED else 1
    if kind == 0:
        values[stretch] += _uniform(size, source.choice((2, 6, 16, 40)) * _unit(tensor), source)
    elif kind == 1:
        values[stretch] = theirs[stretch]
    else:
        centre = _centre(tensor)
        values = centre + (values - centre) * source.choice((4, 6, 7, 9, 10, 14)) // 8
    return values


def as_bytes(values: Array, tensor: Tensor) -> bytes:
    """Clamped to the tensor's type, little-endian."""
    kind = DTYPES[tensor.dtype]
    return np.clip(values, kind.low, kind.high).astype(np.dtype("<" + kind.letter)).tobytes()


def parts_of(content: bytes, tensors: Sequence[Tensor]) -> list[Array]:
    """The elements of each tensor, whose bytes stand one after the other."""
    parts = []
    for tensor in tensors:
        kind = np.dtype("<" + DTYPES[tensor.dtype].letter)
        parts.append(np.frombuffer(content[: tensor.bytes], kind).astype(np.int64))
        content = content[tensor.bytes :]
    return parts


def _centre(tensor: Tensor) -> int:
    return tensor.quantization[1] if tensor.dtype in QUANTIZED else 0


def _unit(tensor: Tensor) -> int:
    """1/128 of the type's reach."""
    return max(1, (DTYPES[tensor.dtype].high - DTYPES[tensor.dtype].low) // 255)


def _uniform(count: int, amplitude: int, source: random.Random) -> Array:
    """Integers from -amplitude to amplitude."""
    words = np.frombuffer(source.randbytes(4 * count), "<u4").astype(np.int64)
    return words % (2 * amplitude + 1) - amplitude


def _noise(tensor: Tensor, amplitude: int, source: random.Random, *, sparse: bool) -> bytes:
    if tensor.dtype == "bool":
        return source.randbytes(tensor.bytes)
    unit = _unit(tensor) if tensor.dtype in PATTERNED else 1
    noise = _uniform(tensor.elements, amplitude * unit, source)
    if sparse:
        noise *= _uniform(tensor.elements, 2, source) == 2  # a fifth of them
    return as_bytes(_centre(tensor) + noise, tensor)


def _shuffled_tail(patterns: list[Array | None], source: random.Random) -> list[Array | None]:
    """The first three, which are flat, stay in front."""
    head, tail = patterns[:3], patterns[3:]
    source.shuffle(tail)
    return head + tail


def _patterns(tensor: Tensor, source: random.Random) -> Iterator[Array | None]:
    """Of one tensor; None stands for random bytes, where a pattern would mean nothing."""
    if tensor.dtype not in PATTERNED:
        yield None
        return
    kind, centre = DTYPES[tensor.dtype], _centre(tensor)
    bottom, top = kind.low, kind.high
    shape = tensor.shape or (1,)
    places = np.indices(shape, np.int64)
    flat = np.arange(tensor.elements, dtype=np.int64).reshape(shape)
    for level in (centre, top, bottom):
        yield np.full(shape, level, np.int64)
    for channel in range(0, shape[-1], max(1, -(-shape[-1] // FLAT_CHANNELS))):
        yield np.where(places[-1] == channel, top, centre)
        yield np.where(places[-1] == channel, bottom, centre)
    for _ in range(HOT_PLACES):
        yield np.where(flat == source.randrange(tensor.elements), source.choice((top, bottom)), centre)
    for axis, size in enumerate(shape):
        if size > 1:
            ramp = bottom + places[axis] * (top - bottom) // (size - 1)
            yield ramp
            yield top + bottom - ramp
    for grain in GRAINS:
        board = (places // grain).sum(0) % 2
        yield np.where(board == 1, top, bottom)
        yield np.where(board == 1, centre + (top - centre) // 4, centre + (bottom - centre) // 4)
    for period in PERIODS:
        for slope in (1, 2):
            phase = (places * (np.arange(len(shape)).reshape(-1, *[1] * len(shape)) * slope + 1)).sum(0)
            wave = np.abs((phase + source.randrange(period)) % period * 2 - period)  # a triangle, from 0 to period
            yield centre + (wave * 2 - period) * source.choice((12, 40, 100)) * _unit(tensor) // period
