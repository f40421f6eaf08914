# SPDX-License-Identifier: Apache-2.0
"""Contents on which an operator is run alone, and their digest, in NumPy: what firmware/lib/engine/probe.h makes in C.

Loads NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyproof.core.tflite.layer_probes import BESIDE, GUARD, SEED, WHOLE, WORD, LayerProbe, ProbeTensor
from tinyproof.core.tflite.made_inputs import mix

STEP = np.uint32(0x9E3779B1)
UNIFORM, NEAR, SPARSE, EXTREMES = range(4)
KINDS = (UNIFORM, NEAR, SPARSE, EXTREMES, NEAR, NEAR, SPARSE, NEAR)  # by the trial's number modulo their count

_Words = np.ndarray[Any, np.dtype[np.uint32]]


def step_digest(
    probe: LayerProbe,
    arena_bytes: int,
    step: int,
    trials: range,
    compute: Callable[[Sequence[bytes]], Sequence[bytes]],
    seed: int = SEED,
) -> int:
    """What a right board answers for `trials` of step number `step`. `compute`: from the bytes of the inputs to those
    of the outputs."""
    digest = 0
    for trial in range(trials.start, min(trials.stop, probe.trials)):
        memory, first = made_memory(probe, arena_bytes, seed, step, trial)
        arena = _Arena(memory, first)
        made = compute([arena.read(one.offset, one.bytes) for one in probe.inputs])
        for tensor, content in zip(probe.outputs, made, strict=True):
            arena.write(tensor.offset, content)
        arena.write(probe.scratch[0], bytes(probe.scratch[1]))
        words: _Words = memory.view(np.uint32)
        places: _Words = np.arange(first, first + words.size, dtype=np.uint32)
        of_one = int(mix(words + places * STEP).sum(dtype=np.uint32))
        both: _Words = np.array([(digest + of_one) % (1 << 32)], dtype=np.uint32)
        digest = int(mix(both)[0])
    return digest


@dataclass(frozen=True)
class _Arena:
    """By offsets in the arena. `memory`: uint8, from word `first` on, counted from the begin of the first guard."""

    memory: np.ndarray[Any, Any]
    first: int

    def read(self, offset: int, size: int) -> bytes:
        start = GUARD + offset - WORD * self.first
        return self.memory[start : start + size].tobytes()

    def write(self, offset: int, content: bytes) -> None:
        start = GUARD + offset - WORD * self.first
        self.memory[start : start + len(content)] = np.frombuffer(content, np.uint8)


def made_memory(
    probe: LayerProbe, arena_bytes: int, seed: int, step: int, trial: int
) -> tuple[np.ndarray[Any, Any], int]:
    """uint8 as the operator finds it, and the word with which it begins: of [guard, arena up to a multiple of 4, guard]
    all, or what the operator reads and writes."""
    key: _Words = np.array([seed], dtype=np.uint32)
    for number in (0, step, trial):
        key = mix(key + np.uint32(number))
    first, end = (0, -(-arena_bytes // WORD) + 2 * GUARD // WORD) if trial < WHOLE else probe.window
    places: _Words = np.arange(first, end, dtype=np.uint32)
    memory = mix(key + places).view(np.uint8)
    kind = KINDS[trial % len(KINDS)]
    pair = trial + probe.pairs - probe.trials
    if pair >= 0:
        for tensor, content in zip(probe.inputs, _pairs(probe.inputs[0].bytes, pair), strict=True):
            _Arena(memory, first).write(tensor.offset, content)
    for tensor in probe.inputs if kind != UNIFORM and pair < 0 else ():
        _Arena(memory, first).write(tensor.offset, _values(tensor, kind, key).tobytes())
    chosen = trial + len(probe.given) - probe.trials
    if chosen >= 0:
        beside = bytes([BESIDE])
        _Arena(memory, first).write(probe.inputs[0].offset - 1, beside + probe.given[chosen] + beside)
    return memory, first


def _pairs(count: int, number: int) -> tuple[bytes, bytes]:
    """Of `count` pairs of bytes the first and the second ones, behind `number` times as many."""
    places = np.arange(number * count, (number + 1) * count, dtype=np.uint32)
    pairs = places + (places >> np.uint32(16))
    return pairs.astype(np.uint8).tobytes(), (pairs >> np.uint32(8)).astype(np.uint8).tobytes()


def _values(tensor: ProbeTensor, kind: int, key: _Words) -> np.ndarray[Any, Any]:
    width = tensor.element_bytes
    count, low, high = tensor.bytes // width, -(1 << 8 * width - 1), (1 << 8 * width - 1) - 1
    places: _Words = np.arange(count, dtype=np.uint32)
    drawn = mix(~key + np.uint32(tensor.offset) + places).view(np.int32)
    values = (drawn >> np.int32(32 - 8 * width)).astype(np.int64)
    if kind == NEAR:
        shift = 1 + int(key[0]) % (6 if width == 1 else 14)
        values = (tensor.zero_point + (values >> shift)).clip(low, high)
    elif kind == EXTREMES:
        values = np.where(values < 0, low, high)
    else:
        values = np.where(drawn & 3, tensor.zero_point, values)
    return values.astype(f"<i{width}")
