# SPDX-License-Identifier: Apache-2.0
"""Translates inline assembly to C, so that a board's kernels run on this machine under the sanitizers.

Every load and store of the assembly becomes one of C, which AddressSanitizer checks. Nothing else of a source changes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_KIND = re.compile(r"\b[RQMIWPLB]\b")
_OPERANDS = {
    "R": r"(r\d+|lr|%\[\w+\]|%\d)",
    "Q": r"(q\d)",
    "M": r"(%\[\w+\])",
    "I": r"#(-?\d+|0x[0-9a-f]+)",
    "W": r"#(-?(?:\d*[02468])?[048]|-?\d*[13579][26])",
    "P": r"#([1248])",
    "L": r"\{(r\d+(?:, r\d+)*)\}",
    "B": r"(\d+)[bf]",
}
# Not what follows a declaration of the system, which says how its function is called there.
_STATEMENT = re.compile(r"(?<!\))(?<!\) )__asm__(?: volatile)?\s*\(")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OPERAND = re.compile(r'(?:\[(\w+)\] )?"([^"]+)"\s*\(((?:[^()]|\([^()]*\))+)\)')
_MARKER = re.compile(r"^# \d+ .*$", re.MULTILINE)  # of the preprocessor: where the following line comes from
_GARBAGE = "0xA5A5A5A5u"  # what nobody has written yet


def _always(lines: Sequence[str]) -> Iterable[tuple[str, str]]:
    return ((line, "") for line in lines)


@dataclass(frozen=True)
class InstructionSet:
    """Instructions as the kernels write them, and the C of each. R: a register or a register operand; Q: a vector; M: a
    memory operand; I: a number, W: a multiple of 4, P: a small power of 2; L: a list of registers; B: a label to go to.
    The C takes them in that order.

    `header`: what the C calls. `flags`: C that declares what instructions leave behind for others, where a statement
    clobbers "cc". `conditions`: of a template's lines, those that do something, each with `{p}` in the C of its form.
    """

    forms: Mapping[str, str]
    header: Path
    flags: str
    conditions: Callable[[Sequence[str]], Iterable[tuple[str, str]]] = _always

    def translate(self, source: str) -> str:
        """C that was preprocessed, with each of its assembly statements as C; line numbers stay.

        Raises AssertionError for an instruction that is not among the forms.
        """
        parts, position = [], 0
        for number, statement in enumerate(_STATEMENT.finditer(source)):
            end = _closing(source, statement.end())
            text = source[statement.end() : end]
            lines = [line if _MARKER.match(line) else "" for line in text.split("\n")[1:]]
            parts += [
                source[position : statement.start()],
                self._block(_MARKER.sub("", text), number),
                *("\n" + x for x in lines),
            ]
            position = end + 1
        return "".join([*parts, source[position:]])

    def find_form(self, line: str) -> tuple[str, tuple[str, ...]]:
        """The form of an instruction, and its operands. Raises AssertionError where there is none."""
        for form, pattern in self._patterns:
            if found := pattern.fullmatch(line):
                return form, found.groups()
        raise AssertionError(f"{line!r} is not among the instructions that {self.header.name} has")

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        return [
            (form, re.compile(_KIND.sub(lambda kind: _OPERANDS[kind[0]], re.sub(r"([\[\].])", r"\\\1", form))))
            for form in self.forms
        ]

    def _block(self, text: str, number: int) -> str:
        """One statement. An operand that is only read is a constant, and a register that is no operand exists only if
        it is among the clobbers: the compiler refuses assembly that does not keep to what it declares."""
        sections = _sections(text)
        template = _join_strings(sections[0])
        outputs, inputs, clobbers = (*sections[1:], "", "", "")[:3]
        names: dict[str, str] = {}  # as written in the template: C
        before, after = [], []
        declared = [(True, *found) for found in _OPERAND.findall(outputs)]
        declared += [(False, *found) for found in _OPERAND.findall(inputs)]
        for place, (written, name, constraint, expression) in enumerate(declared):
            if "m" in constraint:
                names[f"%[{name}]"] = expression
                continue
            register = f"arm_{name or place}"
            names[f"%[{name}]" if name else f"%{place}"] = register
            start = _GARBAGE if constraint.startswith("=") else _value(expression)
            before.append(f"{'' if written else 'const '}arm_register {register} = {start}; (void){register};")
            if written:
                after.append(f"{expression} = (__typeof__({expression})){register}; (void){expression};")
        for clobber in ast.literal_eval(f"[{_MARKER.sub('', clobbers).strip()}]"):
            if re.fullmatch(r"r\d+|lr", clobber):
                names[clobber] = f"arm_{clobber}"
                before.append(f"arm_register arm_{clobber} = {_GARBAGE}; (void)arm_{clobber};")
            elif re.fullmatch(r"q\d", clobber):
                names[clobber] = f"arm_{clobber}"
                words = ", ".join([_GARBAGE] * 4)
                before.append(f"arm_vector arm_{clobber} = {{{{{words}}}}}; (void)arm_{clobber};")
            elif clobber == "cc":
                before.append(self.flags)
        label = f"arm_label{number}_"
        body = [self._instruction(line, names, label, p) for line, p in self.conditions(instructions(template))]
        return " ".join(["{", *before, *body, *after, "}"])

    def _instruction(self, line: str, names: dict[str, str], label: str, condition: str) -> str:
        if found := re.fullmatch(r"(\d+):", line):
            return f"{label}{found[1]}:;"
        form, operands = self.find_form(line)
        kinds = _KIND.findall(form)
        words = [_operand(kind, operand, names, label) for kind, operand in zip(kinds, operands, strict=True)]
        if "L" in kinds:
            words = _list_words(form, words[0], operands[1], names)
        elif form == "ldr R, M":
            words[1] = _value(words[1])
        elif form == "ldrd R, R, M":
            words[2:] = [_value(f"{words[2]}[{place}]") for place in (0, 1)]
        elif form == "str R, M":
            words[0] = f"(__typeof__({words[1]})){words[0]}"
        return self.forms[form].format(*words, p=condition)


def instructions(template: str) -> list[str]:
    """The lines of an assembly template, labels among them; where code is aligned makes no difference to it."""
    return [line.strip() for line in template.split("\n") if line.strip() and line.strip() != ".balign 4"]


def _operand(kind: str, operand: str, names: dict[str, str], label: str) -> str:
    """C of it."""
    if kind == "B":
        return label + operand
    return _number(operand) if kind in "IWP" else names.get(operand, operand)


def _list_words(form: str, base: str, registers: str, names: dict[str, str]) -> list[str]:
    """What the C of LDMIA and STMIA takes: the base, all moves, and the bytes that these are of."""
    named = registers.split(", ")
    assert named == sorted(named, key=lambda register: int(register[1:])), f"{registers} move in another order"
    move = "{1} = arm_ldm({0});" if form.startswith("ldmia") else "arm_stm({0}, {1});"
    places = [(f"arm_add({base}, {4 * i})", names.get(register, register)) for i, register in enumerate(named)]
    return [base, " ".join(move.format(*place) for place in places), str(4 * len(named))]


def _closing(source: str, position: int) -> int:
    """Where the parenthesis closes that was opened before `position`."""
    depth = 1
    while depth:
        if source[position] == '"':
            found = _STRING.match(source, position)
            assert found
            position = found.end()
            continue
        depth += {"(": 1, ")": -1}.get(source[position], 0)
        position += 1
    return position - 1


def _sections(text: str) -> list[str]:
    """The template, outputs, inputs and clobbers, which colons part."""
    sections, position = [""], 0
    while position < len(text):
        found = _STRING.match(text, position)
        token = found[0] if found else text[position]
        if token == ":":
            sections.append("")
        else:
            sections[-1] += token
        position += len(token)
    return sections


def _join_strings(literals: str) -> str:
    return "".join(ast.literal_eval(literal) for literal in _STRING.findall(literals))


def _number(operand: str) -> str:
    """A number below 0 as a register has it; anything else as it is."""
    return f"{int(operand) % 2**32}u" if operand.startswith("-") else operand


def _value(expression: str) -> str:
    """What a C expression of 32 bits, or a pointer, is in a register."""
    register = f"(arm_register)({expression})"
    return f"(sizeof({expression}) == 4 ? (arm_register)(uint32_t){register} : {register})"
