# SPDX-License-Identifier: Apache-2.0
"""Kernels that are written wrongly: an operator, a bound or a constant changed in their source, or how they round."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tinyproof.faults.native.source import ENGINE, VECTORS, run_gcc
from tinyproof.faults.sharing import in_turns

# What becomes of an operator; clang-format has put a space on either side of each that takes two numbers.
_OPERATORS = {
    "<": ("<=", ">"),
    "<=": ("<",),
    ">": (">=", "<"),
    ">=": (">",),
    "==": ("!=",),
    "!=": ("==",),
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "/": ("*",),
    "%": ("*",),
    "+=": ("-=",),
    "-=": ("+=",),
    "<<": (">>",),
    ">>": ("<<",),
    "&&": ("||",),
    "||": ("&&",),
    "&": ("|",),
    "|": ("&",),
}
_OPERATOR = re.compile(r"(?<= )(<=|>=|==|!=|\+=|-=|<<|>>|&&|\|\||[<>+\-*/%&|])(?= )")
_NUMBER = re.compile(r"(?<![\w.#%\"])(0x[0-9a-fA-F]+|\d+)(?=U?\b)(?!\.)")
_IMMEDIATE = re.compile(r"(?<=#)\d+")
# In assembly: instructions that take the same operands.
_INSTRUCTIONS = {
    "smlabb": ("smlabt",),
    "smlabt": ("smlabb",),
    "smlatt": ("smlatb",),
    "smlatb": ("smlatt",),
    "bne": ("beq",),
    "asr": ("lsl",),
    "bgt": ("blt",),
    "blt": ("bgt",),
    "vadd.i16": ("vsub.i16",),
    "vadd.i32": ("vsub.i32",),
    "vsub.i16": ("vadd.i16",),
    "vsub.i32": ("vadd.i32",),
    "vmullb.s8": ("vmullt.s8",),
    "vmullt.s8": ("vmullb.s8",),
    "vqmovnb.s16": ("vqmovnt.s16",),
    "vqmovnt.s16": ("vqmovnb.s16",),
    "vqmovnb.s32": ("vqmovnt.s32",),
    "vqmovnt.s32": ("vqmovnb.s32",),
    "vmax.s8": ("vmin.s8",),
    "vmin.s8": ("vmax.s8",),
    "vmax.s32": ("vmin.s32",),
    "vmin.s32": ("vmax.s32",),
    "vrshl.s32": ("vshl.s32",),
    "vand": ("veor",),
    "vctp.8": ("vctp.32",),
    "vctp.32": ("vctp.8",),
    "dlstp.8": ("dlstp.32",),
    "dlstp.32": ("dlstp.8",),
    "wlstp.8": ("wlstp.32",),
    "wlstp.32": ("wlstp.8",),
}
_INSTRUCTION = re.compile(r"\b(" + "|".join(map(re.escape, _INSTRUCTIONS)) + r")(?= (?:[%rq\"{]|lr, )|(?<=b[gl]t) \d)")
# Not code, and what looks like a mutation but is a type, an attribute or a flag of the compiler.
_SKIPPED = re.compile(
    r"/\*.*?\*/|//[^\n]*|^#[^\n]*(?:\\\n[^\n]*)*|__attribute__\s*\(\(.*?\)\)|\b(?:u?int\d+_t|INT\d+_C)\b",
    re.DOTALL | re.MULTILINE,
)
# Of kernels whose assembly stands in macros.
_SKIPPED_BUT_MACROS = re.compile(_SKIPPED.pattern.replace("^#", r"^#(?!define\b)"), _SKIPPED.flags)
_MACRO = re.compile(r"^#define (\w+)(?:\\\n|[^\n])*", re.MULTILINE)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ASSEMBLY = re.compile(r"__asm__\b.*?\);", re.DOTALL)
TIES = "ties upward instead of away from zero"
# Ways to round that are not TFLite Micro's: where the kernels have one, and what stands there instead.
ROUNDINGS = (
    ("a - (a < 0 ? 1 : 0)", "a", TIES),
    ("(t - (t < 0 ? 1 : 0))", "t", TIES),
    ("(t + (t >> 31))", "t", TIES),
    ('"add " a ", " a ", " a ", asr #31\\n\\t"', '""', TIES),
    (" + (INT64_C(1) << 31)", "", "the product cut off instead of rounded"),
    (" + (int32_t)((uint32_t)product >> 31)", "", "the product cut off instead of rounded"),
    (" + (1 + 2 * zero_point)) >> 1", " + 2 * zero_point) >> 1", "the quotient cut off instead of rounded"),
    (" + rounding) >> 1", " + rounding - 1) >> 1", "the quotient cut off instead of rounded"),
    ("(value + (value >> 31))", "value", TIES),
    ('"vqdmlah.s32 " sum ", " sum ", " one "\\n\\t"', '""', TIES),
    ('"vadd.i32 " sum ", " sum ", " free "\\n\\t"', '""', TIES),
)
# Not of a model: how compilers differ, and what says of whom a header is.
_LEFT_OUT = ("compiler.h", "mve_tables.h")


@dataclass(frozen=True)
class Mutant:
    """`new` stands at `place` of a file of the engine instead of `old`."""

    file: str
    place: int
    line: int
    old: str
    new: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why or f'{self.old} becomes {self.new}'}"

    def inside(self, function: tuple[str, str]) -> bool:
        """Whether it is in the body of a function, which is named by its file and its name."""
        file, name = function
        text = (ENGINE / file).read_text(encoding="utf-8")
        body = re.search(rf"^KERNEL_INLINE \w+ {name}\([^)]*\) \{{\n.*?^\}}", text, re.MULTILINE | re.DOTALL)
        return file == self.file and body is not None and body.start() <= self.place < body.end()

    def plant(self, engine: Path) -> None:
        """Into a copy of the engine's folder."""
        text = (ENGINE / self.file).read_text(encoding="utf-8")
        assert text[self.place :].startswith(self.old)
        changed = text[: self.place] + self.new + text[self.place + len(self.old) :]
        (engine / self.file).write_text(changed, encoding="utf-8", newline="\n")

    def heal(self, engine: Path) -> None:
        """The file as it was."""
        (engine / self.file).write_bytes((ENGINE / self.file).read_bytes())


def kernel_files(source: str, folder: Path, kernels: Sequence[str]) -> list[str]:
    """Files of the engine that the compiler reads for a board, by their paths in it. `source`: a model's C."""
    file = folder / "files.c"
    file.write_text(source, encoding="utf-8", newline="\n")
    includes = [
        f"-I{path}" for path in (*(ENGINE / name for name in kernels), ENGINE, Path(__file__).parent / "native")
    ]
    listed = run_gcc(["gcc", "-MM", *includes, str(file)])
    paths = [Path(word).resolve() for word in listed.replace("\\\n", " ").split()[1:]]
    inside = [path.relative_to(ENGINE.resolve()) for path in paths if path.is_relative_to(ENGINE.resolve())]
    return sorted({path.as_posix() for path in inside if path.name not in _LEFT_OUT})


def mutants(files: Sequence[str], executed: set[tuple[str, int]]) -> list[list[Mutant]]:
    """Of each file those in lines that are `executed`."""
    found = []
    executed = executed | _macro_lines(executed)
    for file in files:
        lines = _whole_statements(file, executed)
        found.append([one for one in _of_file(file) if (file, one.line) in lines])
    return found


def sample_mutants(piles: list[list[Mutant]], count: int, source: random.Random) -> list[Mutant]:
    """`count` of them, files in turns."""
    piles = [list(pile) for pile in piles]
    for pile in piles:
        source.shuffle(pile)
    source.shuffle(piles)
    return list(islice(in_turns(piles), count))


def roundings(files: Sequence[str]) -> list[Mutant]:
    """All there are."""
    found = []
    for file in files:
        text = (ENGINE / file).read_text(encoding="utf-8")
        for old, new, why in ROUNDINGS:
            for at in re.finditer(re.escape(old), text):
                found.append(Mutant(file, at.start(), _line(text, at.start()), old, new, why))
    return found


def _of_file(file: str) -> list[Mutant]:
    text = (ENGINE / file).read_text(encoding="utf-8")
    skipped = _SKIPPED_BUT_MACROS if _has_macros(file) else _SKIPPED
    code = skipped.sub(lambda part: re.sub(r"[^\n]", "~", part[0]), text)
    plain = _STRING.sub(lambda part: re.sub(r"[^\n]", "~", part[0]), code)
    changes: list[tuple[int, str, str]] = []
    for found in _OPERATOR.finditer(plain):
        changes += [(found.start(), found[0], new) for new in _OPERATORS[found[0]]]
    for found in _NUMBER.finditer(plain):
        changes += [(found.start(), found[0], str(int(found[0], 0) + step)) for step in (-1, 1)]
    for string in _STRING.finditer(code):
        for found in _INSTRUCTION.finditer(string[0]):
            changes += [(string.start() + found.start(), found[0], new) for new in _INSTRUCTIONS[found[0]]]
        for found in _IMMEDIATE.finditer(string[0]):
            changes += [(string.start() + found.start(), found[0], str(int(found[0]) + 1))]
    return [Mutant(file, place, _line(text, place), old, new) for place, old, new in changes]


def _has_macros(file: str) -> bool:
    return file.startswith(f"{VECTORS}/")


def _macro_lines(executed: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """The lines of macros that stand in lines which run, or in such macros: gcov sees where they are used alone."""
    macros: dict[str, tuple[str, int, str]] = {}  # by their names: file, first line, text
    words: set[str] = set()
    for path in sorted((ENGINE / VECTORS / "kernels").iterdir()):
        file, text = f"{VECTORS}/kernels/{path.name}", path.read_text(encoding="utf-8")
        macros |= {found[1]: (file, _line(text, found.start()), found[0]) for found in _MACRO.finditer(text)}
        for number, line in enumerate(text.splitlines(), 1):
            words |= set(re.findall(r"\w+", line)) if (file, number) in executed else set()
    lines: set[tuple[str, int]] = set()
    while used := words & macros.keys():
        for name in used:
            file, first, text = macros.pop(name)
            words |= set(re.findall(r"\w+", text))
            lines |= {(file, first + place) for place in range(text.count("\n") + 1)}
    return lines


def _whole_statements(file: str, executed: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Of assembly gcov sees the first line alone, or the last."""
    text = (ENGINE / file).read_text(encoding="utf-8")
    found = set(executed)
    for statement in _ASSEMBLY.finditer(text):
        lines = {(file, line) for line in range(_line(text, statement.start()), _line(text, statement.end()) + 1)}
        if lines & executed:
            found |= lines
    return found


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
