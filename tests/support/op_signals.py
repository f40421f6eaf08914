# SPDX-License-Identifier: Apache-2.0
"""Models of signal operators, and sounds to try them with."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence
from typing import Any

from flatbuffers import flexbuffers

from support.op_cases import Case
from support.tflite_writer import Model, Subgraph


def packed_options(**options: Any) -> bytes:
    """As a converter writes them."""
    return bytes(flexbuffers.Dumps(options))


def add(model: Subgraph, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> None:
    """A signal operator by its name without what all of them begin with."""
    model.add_custom(f"Signal{name}", inputs, outputs, packed_options(**options))


def cast(model: Model, x: int, dtype: str) -> int:
    """The same numbers as another type: what neither enters nor leaves a model has to be made and shown inside."""
    y = model.tensor(model.tensors[x].shape, dtype=dtype)
    model.add("CAST", [x], [y])
    return y


def sounds(count: int, seed: int, extra: int = 3) -> tuple[bytes, ...]:
    """Silence, both ends, tones and noise of several levels, each of `count` samples of int16."""
    r = random.Random(seed)
    waves = [[q] * count for q in (0, 2**15 - 1, -(2**15))]
    waves.append([r.choice([-(2**15), 2**15 - 1]) for _ in range(count)])
    pitch = r.uniform(0.01, 3.0)
    waves.append([round(32767 * math.sin(pitch * i)) for i in range(count)])
    for _ in range(extra):
        level = 2 ** r.randint(0, 15)
        waves.append([r.randrange(-level, level) for _ in range(count)])
    return tuple(struct.pack(f"<{count}h", *wave) for wave in waves)


def words(count: int, seed: int, extra: int = 4, bits: int = 32) -> tuple[bytes, ...]:
    """Numbers of every magnitude up to so many bits, as int32."""
    r = random.Random(seed)
    lists = [[0] * count, [1] * count, [-1 if bits == 32 else 2**bits - 1] * count]
    for _ in range(extra):
        lists.append([r.getrandbits(r.randint(1, bits)) for _ in range(count)])
    return tuple(struct.pack(f"<{count}I", *(q & 0xFFFFFFFF for q in each)) for each in lists)


def case(label: str, tflite: bytes, inputs: Sequence[bytes], *, aliased: bool = False) -> Case:
    """Silence must not always come first: state goes from one to the next."""
    shuffled = list(inputs)
    random.Random(label).shuffle(shuffled)
    return Case(label, tflite, tuple(shuffled), aliased)
