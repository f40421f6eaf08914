# SPDX-License-Identifier: Apache-2.0
"""The operators between a spectrum and its features, over several frames."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_signals import add, case, cast, sounds, words
from support.op_strategies import seeds
from support.op_table import Refusal, Row
from support.tflite_writer import Model

SCALE, ENERGY = "CUSTOM SignalFftAutoScale", "CUSTOM SignalEnergy"
BANK, ROOT = "CUSTOM SignalFilterBank", "CUSTOM SignalFilterBankSquareRoot"
SUBTRACTION, PCAN, LOG = "CUSTOM SignalFilterBankSpectralSubtraction", "CUSTOM SignalPCAN", "CUSTOM SignalFilterBankLog"
SMOOTH: dict[str, Any] = {
    "alternate_one_minus_smoothing": 15565,
    "alternate_smoothing": 819,
    "clamping": False,
    "min_signal_remaining": 819,
    "num_channels": 4,
    "one_minus_smoothing": 15974,
    "smoothing": 409,
    "smoothing_bits": 10,
    "spectral_subtraction_bits": 14,
}


def constant(model: Model, values: list[int], dtype: str = "int16", shape: tuple[int, ...] | None = None) -> int:
    return model.tensor((len(values),) if shape is None else shape, None, 0, values, dtype)


def source(model: Model, count: int, dtype: str = "uint32") -> int:
    """Of a type that no input of a model has, and computed by nobody: for what is refused."""
    if not model.inputs:
        model.input((1,), dtype="int32")
    return model.tensor((count,), dtype=dtype, variable=True)


def scaled(count: int, made: int | None = None, rank: int = 0, dtype: str = "int16") -> bytes:
    model = Model()
    x, y = model.input((count,), dtype=dtype), model.tensor((made or count,), dtype=dtype)
    bits = model.tensor((1,) * rank, dtype="int32")
    add(model, "FftAutoScale", [x], [y, bits])
    return model.build(y, bits)


@st.composite
def scales(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 40))
    r = random.Random(draw(seeds))
    inputs = list(sounds(count, r.randrange(999), 6))
    for _ in range(4):  # what comes after -32768 counts alone
        level = 2 ** r.randint(0, 14)
        wave = [r.choice([-(2**15), r.randrange(-level, level)]) for _ in range(count)]
        inputs.append(b"".join(q.to_bytes(2, "little", signed=True) for q in wave))
    return case(f"{count}", scaled(count), inputs, aliased=False)


def energies(count: int, made: int, cut: tuple[int, int] | None, **options: Any) -> bytes:
    model = Model()
    x, y = model.input((count,), dtype="int16"), model.tensor((made,), dtype="uint32")
    add(model, "Energy", [x], [y], **options)
    y = cast(model, y, "int32")
    if cut:
        places = [constant(model, [place], "int32") for place in (*cut, 1)]
        part = model.tensor((cut[1] - cut[0],), dtype="int32")
        model.add("STRIDED_SLICE", [y, *places], [part])
        y = part
    return model.build(y)


@st.composite
def magnitudes(draw: st.DrawFn) -> Case:
    made = draw(st.integers(1, 40))
    extra = draw(st.integers(0, 3))
    cut = None
    start, end = 0, made
    if draw(st.booleans()):
        start, end = sorted(draw(st.lists(st.integers(0, made), min_size=2, max_size=2, unique=True)))
        cut = start, draw(st.integers(start + 1, end))
    tflite = energies(2 * made + extra, made, cut, end_index=end, start_index=start)
    return case(f"{made} {extra} {start} {end} {cut}", tflite, sounds(2 * made + extra, draw(seeds)))


def bank(tables: list[list[int]], inputs: int, made: int, channels: int, scale: int = 0) -> bytes:
    model = Model()
    x = cast(model, model.input((inputs,), dtype="int32"), "uint32")
    sums, roots = model.tensor((made,), dtype="uint64"), model.tensor((made,), dtype="uint32")
    add(model, "FilterBank", [x, *(constant(model, table) for table in tables)], [sums], num_channels=channels)
    add(model, "FilterBankSquareRoot", [sums, constant(model, [scale], "int32", ())], [roots])
    return model.build(cast(model, roots, "int32"))


@st.composite
def banks(draw: st.DrawFn) -> Case:
    """The roots of what it makes: small sums are seen in every bit, large ones in their upper half."""
    r = random.Random(draw(seeds))
    inputs, channels, weights = r.randint(8, 40), r.randint(1, 12), r.randint(8, 60)
    limit = r.choice([1, 2, 300, 4096, 32767])
    lowest = r.choice([0, 0, -limit])
    widths = [r.choice([0, -3, *range(1, 8)]) for _ in range(channels + 1)]
    starts = [r.randint(0, inputs - 8) for _ in widths]
    firsts = [r.randint(0, weights - 8) for _ in widths]
    shares = [[r.randint(lowest, limit) for _ in range(weights)] for _ in range(2)]
    made = r.choice([channels, r.randint(1, channels)])
    tflite = bank([*shares, starts, firsts, widths], inputs, made, channels, r.choice([0, 0, r.randint(0, 31)]))
    levels = [word for bits in (4, 12, 20, 32) for word in words(inputs, r.randrange(999), 2, bits)]
    return case(f"{inputs} {channels} {weights} {widths} {limit}", tflite, levels)


@st.composite
def scaled_roots(draw: st.DrawFn) -> Case:
    """With the scale of FftAutoScale."""
    count = draw(st.integers(2, 8))
    model = Model()
    samples = model.input((2 * count,), dtype="int16")
    y, bits = model.tensor((2 * count,), dtype="int16"), model.tensor((), dtype="int32")
    squares, sums = model.tensor((count,), dtype="uint32"), model.tensor((1,), dtype="uint64")
    roots = model.tensor((1,), dtype="uint32")
    add(model, "FftAutoScale", [samples], [y, bits])
    add(model, "Energy", [y], [squares], end_index=count, start_index=0)
    tables = [[draw(st.integers(0, 4096))] * count, [0] * count, [0, 0], [0, 0], [0, count]]
    add(model, "FilterBank", [squares, *(constant(model, table) for table in tables)], [sums], num_channels=1)
    add(model, "FilterBankSquareRoot", [sums, bits], [roots])
    return case(f"{count}", model.build(cast(model, roots, "int32")), sounds(2 * count, draw(seeds), 6))


def subtracted(count: int, **options: Any) -> bytes:
    model = Model()
    x = cast(model, model.input((count,), dtype="int32"), "uint32")
    y, noise = (model.tensor((count,), dtype="uint32") for _ in range(2))
    add(model, "FilterBankSpectralSubtraction", [x], [y, noise], **{**SMOOTH, "num_channels": count, **options})
    return model.build(cast(model, y, "int32"), cast(model, noise, "int32"))


@st.composite
def subtractions(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 12))
    options: dict[str, Any] = {"clamping": draw(st.booleans())}
    if draw(st.booleans()):
        options |= {"smoothing_bits": draw(st.integers(0, 31)), "spectral_subtraction_bits": draw(st.integers(0, 63))}
        shares = [name for name in SMOOTH if "smoothing" in name and "bits" not in name]
        options |= {name: draw(st.integers(-(2**31), 2**31 - 1)) for name in (*shares, "min_signal_remaining")}
    seed = draw(seeds)
    inputs = words(count, seed, 6) + words(count, seed + 1, 8, 20)
    return case(f"{count} {options}", subtracted(count, **options), inputs)


def controlled(count: int, gains: list[int], shift: int) -> bytes:
    model = Model()
    x, noise = (cast(model, model.input((count,), dtype="int32"), "uint32") for _ in range(2))
    y = model.tensor((count,), dtype="uint32")
    add(model, "PCAN", [x, noise, constant(model, gains)], [y], snr_shift=shift)
    return model.build(cast(model, y, "int32"))


@st.composite
def gains(draw: st.DrawFn) -> Case:
    r = random.Random(draw(seeds))
    count, low = r.randint(1, 12), r.choice([-(2**15), 0])
    table = [r.choice([low, 2**15 - 1, r.randrange(low, 2**15)]) for _ in range(r.choice([125, 130]))]
    inputs = [word for bits in (8, 16, 32) for word in words(2 * count, r.randrange(999), 4, bits)]
    return case(f"{count} {low}", controlled(count, table, r.choice([6, r.randint(0, 63)])), inputs)


def logarithms(count: int, **options: Any) -> bytes:
    model = Model()
    x, y = cast(model, model.input((count,), dtype="int32"), "uint32"), model.tensor((count,), dtype="int16")
    add(model, "FilterBankLog", [x], [y], **options)
    return model.build(y)


@st.composite
def logs(draw: st.DrawFn) -> Case:
    count, seed = draw(st.integers(1, 40)), draw(seeds)
    scale = draw(st.sampled_from([1600, 64, 2**16, draw(st.integers(-(2**31), 2**31 - 1))]))
    bits = draw(st.sampled_from([3, 0, draw(st.integers(0, 31))]))
    inputs = [word for most in (3, 8, 16, 32) for word in words(count, seed, 3, most)]
    return case(f"{count} {scale} {bits}", logarithms(count, input_correction_bits=bits, output_scale=scale), inputs)


def lone(name: str, inputs: list[Any], outputs: list[tuple[Any, ...]], **options: Any) -> bytes:
    """The operator first, and whatever shows its first output after it. An input is a list of constants, or a count."""
    model = Model()
    operands = [constant(model, part) if isinstance(part, list) else source(model, *part) for part in inputs]
    made = [model.tensor(shape, dtype=dtype) for shape, dtype in outputs]
    add(model, name, operands, made, **options)
    shown = made[0]
    if outputs[0][1] == "uint64":
        shown = model.tensor(outputs[0][0], dtype="uint32")
        add(model, "FilterBankSquareRoot", [made[0], constant(model, [0], "int32", ())], [shown])
    return model.build(shown if outputs[0][1] == "int16" else cast(model, shown, "int32"))


def _bank(*tables: list[int], made: int = 2, channels: int = 2) -> bytes:
    plain = [[1] * 8, [1] * 8, [0, 2, 4], [0, 2, 4], [2, 2, 2]]
    return lone("FilterBank", [(8,), *tables, *plain[len(tables) :]], [((made,), "uint64")], num_channels=channels)


def _smoothed(count: int = 4, made: int = 4, **options: Any) -> bytes:
    parts = [((made,), "uint32"), ((4,), "uint32")]
    return lone("FilterBankSpectralSubtraction", [(count,)], parts, **{**SMOOTH, **options})


def _root(scale: list[Any]) -> bytes:
    model = Model()
    x, y = source(model, 2, "uint64"), model.tensor((2,), dtype="uint32")
    bits = constant(model, scale, "int32", ()) if scale else model.input((), dtype="int32")
    add(model, "FilterBankSquareRoot", [x, bits], [y])
    return model.build(cast(model, y, "int32"))


ROWS = [
    Row(SCALE, "any_size", scales(), count=20),
    Row(ENERGY, "any_range", magnitudes(), count=30),
    Row(BANK, "any_bands", banks(), count=30),
    Row(ROOT, "any_scale", scaled_roots(), count=15),
    Row(SUBTRACTION, "any_share", subtractions(), count=30),
    Row(PCAN, "any_gain", gains(), count=30),
    Row(LOG, "any_scale", logs(), count=30),
]
REFUSALS = [
    Refusal(SCALE, scaled(4, 5), "output .* has 5 elements"),
    Refusal(SCALE, scaled(4, rank=1), "scale .* has 1 dimensions"),
    Refusal(SCALE, scaled(4, dtype="int32"), "input .* is int32"),
    Refusal(ENERGY, energies(8, 4, None, end_index=5, start_index=0), "out of range"),
    Refusal(ENERGY, energies(8, 4, None, end_index=3, start_index=3), "out of range"),
    Refusal(ENERGY, energies(8, 4, None, end_index=4, start_index=-1), "out of range"),
    Refusal(ENERGY, energies(8, 4, None, end_index=3, start_index=0), "unset"),
    Refusal(ENERGY, energies(8, 4, (0, 4), end_index=3, start_index=0), "unset"),
    Refusal(BANK, _bank(made=3), "has 3 elements, with num_channels 2"),
    Refusal(BANK, _bank(channels=1), "has 2 elements, with num_channels 1"),
    Refusal(BANK, _bank([1] * 5), "a band of 2 from 4 on"),
    Refusal(BANK, _bank([1] * 8, [1] * 8, [0, 2, 7]), "a band of 2 from 7 on"),
    Refusal(BANK, _bank([1] * 8, [1] * 8, [0, 2, -1]), "a band of 2 from -1 on"),
    Refusal(BANK, _bank([1] * 8, [1] * 8, [0, 2]), "2 starts"),
    Refusal(ROOT, _root([32]), "scale 32 is out of range"),
    Refusal(ROOT, _root([]), "none of SignalFftAutoScale's"),
    Refusal(SUBTRACTION, _smoothed(smoothing_bits=32), "smoothing_bits 32 is out of range"),
    Refusal(SUBTRACTION, _smoothed(spectral_subtraction_bits=64), "spectral_subtraction_bits 64 is out of range"),
    Refusal(SUBTRACTION, _smoothed(count=3), "input .* has 3 elements"),
    Refusal(SUBTRACTION, _smoothed(num_channels=2**30), "it needs 1073741824"),
    Refusal(PCAN, lone("PCAN", [(2,), (2,), [0] * 124], [((2,), "uint32")], snr_shift=1), "124 gains"),
    Refusal(PCAN, lone("PCAN", [(2,), (1,), [0] * 125], [((2,), "uint32")], snr_shift=1), "1 estimates of noise"),
    Refusal(PCAN, lone("PCAN", [(2,), (2,), [0] * 125], [((2,), "uint32")], snr_shift=64), "snr_shift 64"),
    Refusal(
        LOG,
        lone("FilterBankLog", [(2,)], [((2,), "int16")], input_correction_bits=32, output_scale=1),
        "input_correction_bits 32",
    ),
    Refusal(
        LOG,
        lone("FilterBankLog", [(2,)], [((3,), "int16")], input_correction_bits=1, output_scale=1),
        "output .* has 3 elements",
    ),
]
