# SPDX-License-Identifier: Apache-2.0
"""Decimal to float32 and back, against numpy and against exact fractions."""

from __future__ import annotations

import binascii
import random
import struct
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import numpy as np
from support.native import Driver

MAX = Fraction(2) ** 128


def nearest_float32(text: str) -> str:
    """Bits of the nearest float32, ties to even, by exact arithmetic; "range" when it overflows."""
    value = abs(Fraction(text))
    exponent = -149
    while value >= Fraction(2) ** (exponent + 24):
        exponent += 1
    mantissa = round(value / Fraction(2) ** exponent)  # Python rounds a Fraction to even
    if mantissa * Fraction(2) ** exponent >= MAX:
        return "range"
    sign = 0x80000000 if text.startswith("-") else 0
    return f"{struct.unpack('>I', struct.pack('>f', mantissa * 2.0**exponent))[0] | sign:08X}"


def numbers(driver: Driver, mode: str, values: list[str]) -> list[str]:
    content = "".join(f"{mode} {value}\n" for value in values)
    return driver(content.encode(), "numbers").decode().splitlines()


def some_texts(count: int) -> list[str]:
    """Numbers of up to 18 digits, over the whole range and far beyond either end."""
    rng = random.Random(7)
    texts = []
    for _ in range(count):
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 18)))
        point = rng.randint(0, len(digits))
        exponent = rng.choice(["", f"e{rng.randint(-60, 45)}", f"E{rng.randint(-5, 5):+d}"])
        texts.append(f"{rng.choice(['', '-', '+'])}{digits[:point]}.{digits[point:]}{exponent}")
    return texts


def test_parsing_is_correctly_rounded(driver: Driver) -> None:
    texts = some_texts(3000)
    halves = [2**24 + 1, 2**24 + 3, 2**25 + 2, 2**25 + 6, 2**58 + 2**34, 2**58 + 2**34 - 1, 2**58 + 2**34 + 1]
    texts += [str(n) for n in halves]
    texts += [
        "0",
        "-0",
        "0.0",
        "1",
        "-1",
        ".5",
        "5.",
        "1e-45",
        "7e-46",
        "7.1e-46",
        "3.4028235e38",
        "3.40282356e38",
        "3.40282357e38",
        "-1e39",
        "1e-99",
        "0e99",
    ]
    texts += ["0." + "0" * 60 + "1e60", "1" + "0" * 60 + "e-60", "00000000000000000000000000123.4560000000000000000000"]
    assert numbers(driver, "f", texts) == [nearest_float32(text) for text in texts]


def test_every_shortest_text_reads_back(driver: Driver) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2**32, 4000, dtype=np.uint32).view(np.float32)
    values = np.concatenate([values[np.isfinite(values)], np.linspace(-10, 10, 1001, dtype=np.float32)])
    texts = [str(value) for value in values]
    assert numbers(driver, "f", texts) == [f"{bits:08X}" for bits in values.view(np.uint32)]


def test_digits_past_the_eighteenth_break_ties(driver: Driver) -> None:
    tie = str(2**24 + 1)
    texts = [tie, tie + "." + "0" * 30 + "1", tie + "." + "0" * 30]
    assert numbers(driver, "f", texts) == ["4B800000", "4B800001", "4B800000"]


def test_what_is_no_number_is_refused(driver: Driver) -> None:
    texts = ["", "-", ".", "+.", "e5", "1e", "1e+", "1e5.0", "1.2.3", "1 ", "--1", "nan", "inf", "0x1", "1,5", "1e5e5"]
    assert numbers(driver, "f", texts) == ["syntax"] * len(texts)
    texts = ["1e100", "1e-100", "0e99999999999", "1e39", "9" * 60]
    assert numbers(driver, "f", texts) == ["range"] * len(texts)


def for_people(value: np.float32) -> str:
    """The same rule in decimal arithmetic: four significant digits, half up, no trailing zeros."""
    with localcontext() as context:
        context.prec, context.rounding = 4, ROUND_HALF_UP
        rounded = +Decimal(float(value))
    if rounded == 0:
        return "0"
    if -4 <= rounded.adjusted() <= 6:
        text = f"{rounded:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits = "".join(map(str, rounded.as_tuple().digits)).rstrip("0")
    return f"{'-' if rounded < 0 else ''}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{rounded.adjusted():+03d}"


def test_formatting_for_people(driver: Driver) -> None:
    rng = np.random.default_rng(4)
    values = rng.integers(0, 2**32, 3000, dtype=np.uint32).view(np.float32)
    special = [
        0.0,
        -0.0,
        1.0,
        -3.0,
        18.98,
        9.9995,
        9.9996,
        99995.0,
        1e-4,
        9.9999e-5,
        1e6,
        9999999.0,
        1e-45,
        3.4028235e38,
    ]
    values = np.concatenate([values[np.isfinite(values)], rng.normal(0, 10, 2000), special]).astype(np.float32)
    bits = [f"{word:08X}" for word in values.view(np.uint32)]
    assert numbers(driver, "s", bits) == [for_people(value) for value in values]
    assert numbers(driver, "s", ["7F800000", "FF800000", "7FC00000", "FFFFFFFF"]) == ["inf", "-inf", "nan", "nan"]


def test_crc_is_ccitt_false(driver: Driver) -> None:
    rng = random.Random(5)
    texts = ["123456789", ""] + ["".join(rng.choices("abcxyz 0123@*", k=rng.randint(1, 90))) for _ in range(500)]
    assert numbers(driver, "c", texts) == [f"{binascii.crc_hqx(text.encode(), 0xFFFF):04X}" for text in texts]
    assert numbers(driver, "c", ["123456789"]) == ["29B1"]
