# SPDX-License-Identifier: Apache-2.0
"""Translates inline assembly for Armv7E-M to C, so that kernels_dsp/ runs on this machine under the sanitizers.

Every load and store of the assembly becomes one of C, which AddressSanitizer checks. Nothing else of a source changes.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

HEADER = Path(__file__).with_name("armv7em.h")  # what the C below calls

# Instructions as the kernels write them. R: a register or a register operand; M: a memory operand; I: a number;
# L: a list of registers; B: a label to go to. The C takes them in that order.
FORMS = {
    "smlad R, R, R, R": "{0} = arm_smlad({1}, {2}, {3});",
    "smuad R, R, R": "{0} = arm_smlad({1}, {2}, 0);",
    "smlald R, R, R, R": "arm_smlald(&{0}, &{1}, {2}, {3});",
    "smlabb R, R, R, R": "{0} = arm_smlabb({1}, {2}, {3});",
    "smlabt R, R, R, R": "{0} = arm_smlabt({1}, {2}, {3});",
    "smlatb R, R, R, R": "{0} = arm_smlabt({2}, {1}, {3});",
    "smlatt R, R, R, R": "{0} = arm_smlatt({1}, {2}, {3});",
    "smmlar R, R, R, R": "{0} = arm_smmlar({1}, {2}, {3});",
    "smmla R, R, R, R": "{0} = arm_smmla({1}, {2}, {3});",
    "smmul R, R, R": "{0} = arm_smmul({1}, {2});",
    "sxtb16 R, R": "{0} = arm_sxtb16({1}, 0);",
    "sxtb16 R, R, ror I": "{0} = arm_sxtb16({1}, {2});",
    "sadd16 R, R, R": "{0} = arm_sadd16({1}, {2});",
    "ssub8 R, R, R": "{0} = arm_ssub8(&arm_greater, {1}, {2});",
    "sel R, R, R": "{0} = arm_sel(arm_greater, {1}, {2});",
    "mov R, R": "{0} = {1};",
    "and R, R, R": "{0} = {1} & {2};",
    "and R, R, R, asr I": "{0} = {1} & arm_asr({2}, {3});",
    "lsl R, R, R": "{0} = arm_lsl({1}, {2});",
    "qadd R, R, R": "{0} = arm_qadd({1}, {2});",
    "add R, R, R": "{0} = arm_add({1}, {2});",
    "add R, R, I": "{0} = arm_add({1}, {2});",
    "add R, R, R, lsl I": "{0} = arm_add({1}, arm_lsl({2}, {3}));",
    "add R, R, R, asr I": "{0} = arm_add({1}, arm_asr({2}, {3}));",
    "sub R, R, I": "{0} = arm_sub_number({1}, {2});",
    "sub R, R, R": "{0} = arm_sub({1}, {2});",
    "asr R, R, R": "{0} = arm_asr({1}, {2});",
    "asr R, R, I": "{0} = arm_asr({1}, {2});",
    "ssat R, I, R": "{0} = arm_ssat({1}, {2});",
    "ssat R, I, R, asr I": "{0} = arm_ssat({1}, arm_asr({2}, {3}));",
    "ldr R, M": "{0} = {1};",
    "ldr R, [R, I]": "{0} = arm_ldr(arm_add({1}, {2}));",
    "ldr R, [R], I": "{0} = arm_ldr({1}); {1} = arm_add({1}, {2});",
    "ldr R, [R, R]": "{0} = arm_ldr(arm_add({1}, {2}));",
    "ldr R, [R]": "{0} = arm_ldr({1});",
    "ldr R, [R, R, lsl I]": "{0} = arm_ldr(arm_add({1}, arm_lsl({2}, {3})));",
    "ldrsb R, [R]": "{0} = arm_ldrsb({1});",
    "ldrsb R, [R, I]": "{0} = arm_ldrsb(arm_add({1}, {2}));",
    "ldrsb R, [R, R]": "{0} = arm_ldrsb(arm_add({1}, {2}));",
    "ldrsb R, [R, R, lsl I]": "{0} = arm_ldrsb(arm_add({1}, arm_lsl({2}, {3})));",
    "strb R, [R]": "arm_strb({1}, {0});",
    "ldrd R, R, M": "{0} = {2}; {1} = {3};",
    "ldrd R, R, [R]": "arm_ldrd(&{0}, &{1}, {2});",
    "ldrd R, R, [R, I]": "arm_ldrd(&{0}, &{1}, arm_add({2}, {3}));",
    "ldrd R, R, [R, I]!": "{2} = arm_add({2}, {3}); arm_ldrd(&{0}, &{1}, {2});",
    "ldrd R, R, [R], I": "arm_ldrd(&{0}, &{1}, {2}); {2} = arm_add({2}, {3});",
    "ldmia R!, L": "{1} {0} = arm_add({0}, {2});",
    "ldmia R, L": "{1}",
    "strd R, R, [R], I": "arm_stm({2}, {0}); arm_stm(arm_add({2}, 4), {1}); {2} = arm_add({2}, {3});",
    "stmia R!, L": "{1} {0} = arm_add({0}, {2});",
    "str R, M": "{1} = {0};",
    "strb R, [R], I": "arm_strb({1}, {0}); {1} = arm_add({1}, {2});",
    "strh R, [R], I": "arm_strh({1}, {0}); {1} = arm_add({1}, {2});",
    "strh R, [R, R]": "arm_strh(arm_add({1}, {2}), {0});",
    "strb R, [R, R]": "arm_strb(arm_add({1}, {2}), {0});",
    "strb R, [R, R, lsl I]": "arm_strb(arm_add({1}, arm_lsl({2}, {3})), {0});",
    "subs R, R, I": "{0} = arm_sub({1}, {2}); arm_equal = {0} == 0;",
    "cmp R, R": "arm_equal = {0} == {1};",
    "cmp R, I": "arm_equal = {0} == {1};",
    "tst R, I": "arm_equal = !({0} & {1});",
    "bne B": "if (!arm_equal) goto {0};",
    "beq B": "if (arm_equal) goto {0};",
    "b B": "goto {0};",
}
_OPERANDS = {
    "R": r"(r\d+|%\[\w+\]|%\d)",
    "M": r"(%\[\w+\])",
    "I": r"#(-?\d+|0x[0-9a-f]+)",
    "L": r"\{(r\d+(?:, r\d+)*)\}",
    "B": r"(\d+)[bf]",
}
_PATTERNS = [
    (form, re.compile(re.sub(r"\b[RMILB]\b", lambda kind: _OPERANDS[kind[0]], re.sub(r"([\[\]])", r"\\\1", form))))
    for form in FORMS
]
_STATEMENT = re.compile(r"__asm__(?: volatile)?\s*\(")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_OPERAND = re.compile(r'(?:\[(\w+)\] )?"([^"]+)"\s*\(([^()]+)\)')
_MARKER = re.compile(r"^# \d+ .*$", re.MULTILINE)  # of the preprocessor: where the following line comes from
_GARBAGE = "0xA5A5A5A5u"  # what nobody has written yet


def translate(source: str) -> str:
    """C that was preprocessed, with each of its assembly statements as C; line numbers stay.

    Raises AssertionError for an instruction that is not among FORMS.
    """
    parts, position = [], 0
    for number, statement in enumerate(_STATEMENT.finditer(source)):
        if source[: statement.start()].rstrip().endswith(")"):
            continue  # of a declaration: the system's headers name some functions otherwise
        end = _closing(source, statement.end())
        text = source[statement.end() : end]
        lines = [line if _MARKER.match(line) else "" for line in text.split("\n")[1:]]
        parts += [
            source[position : statement.start()],
            _block(_MARKER.sub("", text), number),
            *("\n" + x for x in lines),
        ]
        position = end + 1
    return "".join([*parts, source[position:]])


def instructions(template: str) -> list[str]:
    """The lines of an assembly template, labels among them; where code is aligned makes no difference to it."""
    return [line.strip() for line in template.split("\n") if line.strip() and line.strip() != ".balign 4"]


def find_form(line: str) -> tuple[str, tuple[str, ...]]:
    """The form of an instruction, and its operands."""
    for form, pattern in _PATTERNS:
        if found := pattern.fullmatch(line):
            return form, found.groups()
    raise AssertionError(f"{line!r} is not among the instructions that {__name__}.py translates")


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


def _block(text: str, number: int) -> str:
    """One statement. An operand that is only read is a constant, and a register that is no operand exists only if it is
    among the clobbers: the compiler refuses assembly that does not keep to what it declares."""
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
        if re.fullmatch(r"r\d+", clobber):
            names[clobber] = f"arm_{clobber}"
            before.append(f"arm_register arm_{clobber} = {_GARBAGE}; (void)arm_{clobber};")
        elif clobber == "cc":
            before.append("int arm_equal = 0; arm_register arm_greater = 0; (void)arm_equal; (void)arm_greater;")
    body = [_instruction(line, names, f"arm_label{number}_") for line in instructions(template)]
    return " ".join(["{", *before, *body, *after, "}"])


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


def _instruction(line: str, names: dict[str, str], label: str) -> str:
    if found := re.fullmatch(r"(\d+):", line):
        return f"{label}{found[1]}:;"
    form, operands = find_form(line)
    if form.startswith(("ldmia", "stmia")):
        base, registers = names.get(operands[0], operands[0]), operands[1].split(", ")
        assert registers == sorted(registers, key=lambda register: int(register[1:])), (
            f"{line!r} moves in another order"
        )
        move = "{1} = arm_ldm({0});" if form.startswith("ldmia") else "arm_stm({0}, {1});"
        places = [(f"arm_add({base}, {4 * i})", names.get(register, register)) for i, register in enumerate(registers)]
        return FORMS[form].format(base, " ".join(move.format(*place) for place in places), 4 * len(registers))
    if form in ("bne B", "beq B", "b B"):
        return FORMS[form].format(label + operands[0])
    if form == "ldr R, M":
        return FORMS[form].format(names.get(operands[0], operands[0]), _value(names[operands[1]]))
    if form == "ldrd R, R, M":
        first, second = (_value(f"{names[operands[2]]}[{place}]") for place in (0, 1))
        return FORMS[form].format(*(names.get(register, register) for register in operands[:2]), first, second)
    if form == "str R, M":
        variable = names[operands[1]]
        return FORMS[form].format(f"(__typeof__({variable})){names.get(operands[0], operands[0])}", variable)
    return FORMS[form].format(*(names.get(operand, _number(operand)) for operand in operands))


def _number(operand: str) -> str:
    """A number below 0 as a register has it; anything else as it is."""
    return f"{int(operand) % 2**32}u" if operand.startswith("-") else operand


def _value(expression: str) -> str:
    """What a C expression of 32 bits, or a pointer, is in a register."""
    register = f"(arm_register)({expression})"
    return f"(sizeof({expression}) == 4 ? (arm_register)(uint32_t){register} : {register})"
