# SPDX-License-Identifier: Apache-2.0
"""Instructions on operands of all kinds: as an emulated core does them, and as their translation to C does here."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support.cortex_m4 import Core, run_on
from support.op_cases import translate_unit
from support.sanitizers import compile_sanitized
from tinyproof.faults.native.assembly import InstructionSet

EDGES = (0, 1, 0x7F, 0x80, 0x8000, 0x7FFF7FFF, 0x80008000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
TRIPLES = 1500
CHUNK = 25  # triples whose answers make one printed line
RUN = """
void print(const char *text);
void run(void);
void run(void) {
    for (unsigned s = 0; s < sizeof answers / sizeof answers[0]; s++) {
        for (unsigned t = 0; t < TRIPLES;) {
            char line[] = "00000000\\n";
            uint32_t hash = 0;
            do
                hash = hash * 31 + answers[s](triples[t][0], triples[t][1], triples[t][2]);
            while (++t % CHUNK != 0);
            for (int digit = 0; digit < 8; digit++)
                line[digit] = "0123456789abcdef"[hash >> (28 - 4 * digit) & 15];
            print(line);
        }
    }
}
"""
HOST = """
#include <stdio.h>
void run(void);
void print(const char *text);
void print(const char *text) { fputs(text, stdout); }
int main(void) { run(); return 0; }
"""


def different_snippets(
    core: Core, instructions: InstructionSet, snippets: Sequence[str], function: str, here: Path
) -> set[str]:
    """Those that answer here otherwise than on `core`. `function`: C named answer@number@ of three numbers, with
    @snippet@ in a statement, that returns what shows of it. `here`: where is compiled."""
    _write(here / "instructions.c", snippets, function)
    (here / "host.c").write_text(HOST, encoding="utf-8")
    expected = run_on(core, here, [str(here / "instructions.c")])
    unit = translate_unit(str(here / "instructions.c"), [], instructions)
    program = str(here / "host")
    compile_sanitized([unit, str(here / "host.c"), "-o", program])
    got = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    lines = TRIPLES // CHUNK
    assert len(expected) == len(got) == lines * len(snippets)
    answers = [got[at : at + lines] for at in range(0, len(got), lines)]
    # They vary; where two operands are edges, some do not.
    assert sum(len(set(own)) for own in answers) > len(got) * 0.7
    return {snippets[i // lines] for i, (a, b) in enumerate(zip(expected, got, strict=True)) if a != b}


def _write(path: Path, snippets: Sequence[str], function: str) -> None:
    """All snippets with all triples: edge values in every combination, then random ones."""
    source = random.Random(1)
    triples = list(itertools.product(EDGES, repeat=3))
    triples += [tuple(source.getrandbits(32) for _ in range(3)) for _ in range(TRIPLES - len(triples))]
    functions = [
        function.replace("@number@", str(number)).replace("@snippet@", json.dumps(snippet))
        for number, snippet in enumerate(snippets)
    ]
    table = ",\n".join(f"{{{n}u, {m}u, {a}u}}" for n, m, a in triples)
    names = ", ".join(f"answer{number}" for number in range(len(snippets)))
    head = [f"#include <stdint.h>\nenum {{ TRIPLES = {TRIPLES}, CHUNK = {CHUNK} }};"]
    tables = [f"static const uint32_t triples[TRIPLES][3] = {{{table}}};"]
    tables += [f"static uint32_t (*const answers[])(uint32_t, uint32_t, uint32_t) = {{{names}}};"]
    path.write_text("\n".join([*head, *functions, *tables, RUN]), encoding="utf-8")


def parameters(wrong: Sequence[tuple[Any, str, str, str, str]]) -> list[Any]:
    """Of a case, a kernel and what could be wrong there the first of each kernel; the others wait for the night."""
    seen: set[str] = set()
    found = []
    for fault in wrong:
        new = fault[1] not in seen
        seen.add(fault[1])
        found.append(pytest.param(*fault, marks=[] if new else pytest.mark.nightly))
    return found
