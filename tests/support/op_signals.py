# SPDX-License-Identifier: Apache-2.0
"""Models of signal operators, and sounds to try them with."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence
from typing import Any

from support.op_cases import Case
from support.tflite_writer import Model, Subgraph


def add(model: Subgraph, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> None:
    """A signal operator by its name without what all of them begin with."""
    model.add_signal(name, inputs, outputs, **options)


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


def audio_features() -> bytes:
    """160 new samples of int16 in, int16 features of 8 channels out, by every operator from a frame to a logarithm."""
    r = random.Random(1)
    m = Model()

    def table(values: Sequence[int]) -> int:
        return m.tensor((len(values),), None, 0, values, "int16")

    def made(count: int, dtype: str) -> int:
        return m.tensor((count,), dtype=dtype)

    x = m.input((160,), dtype="int16")
    frame, valid = m.tensor((1, 240), dtype="int16"), m.tensor((), dtype="bool")
    add(m, "Framer", [x], [frame, valid], frame_size=240, frame_step=160, prefill=True)
    shaped = m.tensor((1, 240), dtype="int16")
    window = [round(4096 * (0.5 - 0.5 * math.cos(math.tau * (i + 0.5) / 240))) for i in range(240)]
    add(m, "Window", [frame, table(window)], [shaped], shift=12)
    flat, scaled, bits = made(240, "int16"), made(240, "int16"), m.tensor((), dtype="int32")
    m.add("RESHAPE", [shaped, m.tensor((1,), None, 0, [240], "int32")], [flat])
    add(m, "FftAutoScale", [flat], [scaled, bits])
    spectrum, energies = made(258, "int16"), made(129, "uint32")
    add(m, "Rfft", [scaled], [spectrum], T=7, fft_length=256)
    add(m, "Energy", [spectrum], [energies], end_index=129, start_index=0)
    widths = [2 * i + 1 for i in range(9)]
    starts = [sum(widths[:i]) for i in range(9)]
    weights = [r.randint(0, 4096) for _ in range(sum(widths))]
    tables = [weights, [4096 - weight for weight in weights], starts, starts, widths]
    sums, roots = made(8, "uint64"), made(8, "uint32")
    add(m, "FilterBank", [energies, *map(table, tables)], [sums], num_channels=8)
    add(m, "FilterBankSquareRoot", [sums, bits], [roots])
    clean, noise, gained, features = made(8, "uint32"), made(8, "uint32"), made(8, "uint32"), made(8, "int16")
    shares = {"smoothing": 409, "one_minus_smoothing": 15974, "min_signal_remaining": 819, "num_channels": 8}
    shares |= {"alternate_smoothing": 819, "alternate_one_minus_smoothing": 15565, "clamping": 0}
    shares |= {"smoothing_bits": 10, "spectral_subtraction_bits": 14}
    add(m, "FilterBankSpectralSubtraction", [roots], [clean, noise], **shares)
    gains = sorted((r.randrange(2**15) for _ in range(125)), reverse=True)
    add(m, "PCAN", [clean, noise, table(gains)], [gained], snr_shift=6)
    add(m, "FilterBankLog", [gained], [features], input_correction_bits=3, output_scale=1600)
    return m.build(features)
