# SPDX-License-Identifier: Apache-2.0
"""What runs on unknown bytes is the same where it is for every input, and nowhere else."""

from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace
from typing import cast

import pytest

from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.faults.unknowns import NOTHING, Unknowns

ARENA = 64  # input from byte 0 on, output from byte 32 on
PREFIX = """
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef short int16_t;
typedef unsigned long long uint64_t;
static inline int32_t clamped(int32_t value) { return value < -128 ? -128 : value > 127 ? 127 : value; }
static inline int32_t one_pair(int32_t a, int32_t b) { return a == 57 && b == -128 ? 1 : 0; }
static inline int32_t sum(int32_t a, int32_t b) { return a + b; }
"""
WORD = "*(uint32_t *)(arena + 32) = "
TERMS = (
    "const uint32_t a = (uint32_t)(int32_t)arena[0], b = (uint32_t)(int32_t)arena[1], c = (uint32_t)(int32_t)arena[2];"
)
SIGNED = "const int32_t a = arena[0], b = arena[1], c = arena[2];"
EACH = "for (int32_t i = 0; i < 2; i++) { const int32_t a = arena[i], b = arena[8 + i]; arena[32 + i] = (int8_t)(%s); }"
# Of two elements: how far the first lies above the second, as a share.
TWO = """const int32_t distance = arena[0] - arena[1];
int32_t y = distance < 0 ? -distance : distance;
%s arena[32] = (int8_t)(y >> 1);"""
STEPS = {
    "sum": f"{TERMS} {WORD} (a * 3U + b * 5U) + c * 4000000000U;",
    "sum in another order": f"{TERMS} {WORD} c * 4000000000U + b * 5U + 3U * a;",
    "sum with a term and its opposite more": f"{TERMS} {WORD} a * 3U + b * 5U + c * 4000000000U + b * 7U - b * 7U;",
    "sum with one term twice": f"{TERMS} {WORD} a * 3U + b * 5U + c * 4000000000U + b * 5U;",
    "sum with another term": f"{TERMS} {WORD} a * 3U + b * 5U + b * 4000000000U;",
    "sum with one more": f"{TERMS} {WORD} a * 3U + b * 5U + c * 4000000000U + 1U;",
    "signed sum": f"{SIGNED} {WORD} (uint32_t)(a * 3 + b * 5 + c * 2);",
    "signed sum in another order": f"{SIGNED} {WORD} (uint32_t)(c * 2 + b * 5 + a * 3);",
    "two sums in a word": f"{TERMS} {WORD} (256U * (b + c) + (a + c)) - (c + a);",
    "upper one alone": f"{TERMS} {WORD} c * 256U + b * 256U;",
    "two sums, shifted first": f"{TERMS} {WORD} (256U * (b + c) + (a + c)) >> 8;",
    "sum shifted": f"{TERMS} {WORD} b + c;",
    "bytes": EACH % "clamped((a * 3 + b * 5) >> 2)",
    "bytes by twice as much": EACH % "clamped((sum(b * 10, a * 6) + 1) >> 3)",
    "bytes exchanged": EACH % "clamped((b * 3 + a * 5) >> 2)",
    "bytes but for one pair": EACH % "clamped(((a * 3 + b * 5) >> 2) + one_pair(a, b))",
    "bytes by a bit of the shift that matters": EACH % "clamped((a * 3 + b * 5) >> 3)",
    "bytes by a bit of the shift that cores differ in": EACH % "clamped((a * 3 + b * 5) >> (2 + (arena != 0) * 256))",
    "byte of a signed number": f"{SIGNED} arena[32] = (int8_t)((a * 3) ^ b);",
    "byte of an unsigned one": f"{SIGNED} arena[32] = (int8_t)(uint64_t)(uint32_t)((a * 3) ^ b);",
    "byte of another number": f"{SIGNED} arena[32] = (int8_t)(((a * 3) ^ b) >> 8);",
    "byte of half a word": f"{SIGNED} arena[32] = (int8_t)(int16_t)((a * 3) ^ b);",
    "moved": "memcpy(arena + 32, arena + 1, 3);",
    "moved byte by byte": "for (int32_t i = 0; i < 3; i++) { arena[32 + i] = arena[1 + i]; }",
    "moved from elsewhere": "memmove(arena + 32, arena, 3);",
    "filled": "memset(arena + 32, arena[0], 2); memset(arena + 34, 5, 1);",
    "filled byte by byte": "arena[32] = arena[0]; arena[33] = arena[0]; arena[34] = 5;",
    "filled with another": "memset(arena + 32, arena[1], 2); memset(arena + 34, 5, 1);",
    "a byte": EACH % "clamped(a + (b & 0))",
    "the byte itself": EACH % "a",
    "another byte": EACH % "b",
}
SHIFTS = ("a bit of the shift that matters", "a bit of the shift that cores differ in")
ROWS = {
    "row": TWO % "",
    "row otherwise": TWO % "if (y == 300) { y = 1; }",
    "row but for one distance": TWO % "if (distance == -201) { y += 2; }",
    "row by a neighbour": TWO % "if (arena[2] == 5) { y = 0; }",
    "row and a byte beside it": TWO % "arena[33] = 0;",
    "row that leaves its numbers": TWO % "if (distance == 255) { y = (y + 2147483647) - 2147483647; }",
}


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of all steps; those of ROWS once more, by their names and a star, where sums of signed numbers wrap."""
    folder = tmp_path_factory.mktemp("unknown")
    steps = {**STEPS, **ROWS}
    code = [f"static void step{n}(int8_t *arena) {{ {step} }}" for n, step in enumerate(steps.values())]
    subprocess.run(["gcc", "-x", "c", "-c", "-o", folder / "none.o", "-"], input="", text=True, check=True)
    ops, tensors = [], [SimpleNamespace(bytes=16), SimpleNamespace(bytes=2), SimpleNamespace(bytes=1)]
    for name in steps:
        ops.append(SimpleNamespace(working_bytes=0, inputs=[int(name in ROWS)], outputs=[2]))
    program = SimpleNamespace(ops=ops, macs=0, graph=SimpleNamespace(tensors=tensors))
    plan = SimpleNamespace(scratch={}, offsets={0: 0, 1: 0, 2: 32}, arena_bytes=ARENA)
    places = range(len(steps))
    unknowns = Unknowns(cast("Program", program), cast("MemoryPlan", plan), places, folder / "none.o")
    assert unknowns.compile(PREFIX + "\n".join(code), folder)
    found = dict(zip(steps, unknowns.run(folder, places), strict=True))
    wrapping = unknowns.run(folder, places[len(STEPS) :], wraps=True)
    return found | {f"{name}*": digest for name, digest in zip(ROWS, wrapping, strict=True)}


@pytest.mark.parametrize(
    "names",
    [
        ("sum", "sum in another order", "sum with a term and its opposite more"),
        ("two sums in a word", "upper one alone"),
        ("bytes", "bytes by twice as much"),
        ("byte of a signed number", "byte of an unsigned one", "byte of half a word"),
        ("moved", "moved byte by byte"),
        ("filled", "filled byte by byte"),
        ("a byte", "the byte itself"),
        ("row", "row otherwise", "row*", "row otherwise*", "row that leaves its numbers*"),
    ],
)
def test_what_is_the_same_for_every_input_is_seen_to_be(digests: dict[str, str], names: tuple[str, ...]) -> None:
    assert len({digests[name] for name in names}) == 1
    assert not digests[names[0]].startswith(NOTHING)


@pytest.mark.parametrize(
    ("sound", "others"),
    [
        ("sum", ("sum with one term twice", "sum with another term", "sum with one more")),
        ("signed sum", ("signed sum in another order",)),  # on its way it may leave the numbers of its type
        ("sum shifted", ("two sums, shifted first", "sum")),
        ("bytes", ("bytes exchanged", "bytes but for one pair", *(f"bytes by {how}" for how in SHIFTS))),
        ("byte of a signed number", ("byte of another number",)),
        ("moved", ("moved from elsewhere", "filled")),
        ("filled", ("filled with another",)),
        ("the byte itself", ("another byte", "bytes")),
        ("row", ("row but for one distance", "row but for one distance*")),
    ],
)
def test_nothing_else_is(digests: dict[str, str], sound: str, others: tuple[str, ...]) -> None:
    for name in others:
        assert re.fullmatch("[0-9a-f]{16}", digests[name]), f"{name}: {digests[name]}"
        assert digests[name] != digests[sound], name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("row by a neighbour", "a branch depends on the input"),
        ("row and a byte beside it", "writes beside its output"),
        ("row that leaves its numbers", "leaves the numbers of its type"),
    ],
)
def test_of_what_is_not_known_nothing_is_said(digests: dict[str, str], name: str, why: str) -> None:
    assert digests[name].startswith(NOTHING)
    assert why in digests[name]
