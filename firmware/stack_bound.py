# SPDX-License-Identifier: Apache-2.0
"""How deep the stack of an image can get: the compiler's frames (-fstack-usage) along the deepest path of calls.

The calls are read from the linked image, so that inlining and what the linker left out are seen. Functions of the
toolchain's libraries come without frames; theirs are read from their instructions.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.firmware.elf_sizes import layer_of

# The protocol reaches the board through the pointers of `struct protocol_port`, and the Arduino core's Print its port
# through a virtual function: the only calls through pointers in an image with the compiled engine.
PORT = ("hal_write", "hal_ticks", "hal_elapsed", "hal_stack_used", "hal_set_baud", "hal_keep_baud")
VIRTUAL = {"Print::write": ("HardwareSerial::write",)}
AVR_RETURN_BYTES = 2  # what a call pushes there; the compiler counts it into the callee's frame
STARTS = ("startup_reset", "main")
RESET = "__vectors"  # on AVR: what goes there begins anew
_INTERRUPT = re.compile(r"__vector_\d+")

_SYMBOL = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_TARGET = re.compile(r"<(.+?)(\+0x[0-9a-f]+)?>\s*\)?$")
_CONDITION = "eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"
_CALL = re.compile(rf"(?:blx?|b(?:{_CONDITION})?(?:\.[wn])?|jal|j|call0|r?call|r?jmp)$")
_INDIRECT_CALL = re.compile(r"blx\s+r\d+|jalr\s|callx0\s|e?icall")
_INDIRECT_JUMP = re.compile(r"bx\s+(?!lr)|jr\s+(?!ra)|jx\s")
_REGISTERS = re.compile(r"(?:push|stmdb|vpush)\S*\s+(?:sp!, )?\{(.*)\}")
_LESS = (
    re.compile(r"sub(?:w|\.w)?\s+sp, (?:sp, )?#(\d+)"),  # Arm
    re.compile(r"str(?:\.w)?\s+\S+, \[sp, #-(\d+)\]!"),
    re.compile(r"addi?\s+sp,\s?sp,\s?-(\d+)"),  # RISC-V
    re.compile(r"addm?i\s+a1, a1, -(\d+)"),  # Xtensa
    re.compile(r"sbiw\s+r28, 0x([0-9a-f]+)"),  # AVR, in hex
)


@dataclass(frozen=True)
class StackBound:
    """`bytes`: None where there is no bound, and `why` there is none."""

    bytes: int | None
    why: str = ""


@dataclass
class Function:
    """Of the disassembly. `frame`: what its instructions take of the stack, all together."""

    frame: int = 0
    calls: set[str] = field(default_factory=set)
    through_pointer: bool = False
    jumps_through_pointer: bool = False


class _UnboundedError(Exception):
    """With the reason."""


def stack_bound(elf: Path, toolchain: str, objects: Path) -> StackBound:
    """The bound of an image with the compiled engine, built by `toolchain` with -fstack-usage into `objects`."""
    command = [f"{toolchain}objdump", "-d", "-C", "--no-show-raw-insn", str(elf)]
    text = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True, timeout=120).stdout
    frames: dict[str, int] = {}
    ours: set[str] = set()
    for file in sorted(objects.rglob("*.su")):
        names = read_frames(file.read_text(encoding="utf-8", errors="replace"), frames)
        if layer_of("", file.as_posix()) == "protocol":  # they call the board through `struct protocol_port`
            ours |= names
    return deepest(read_functions(text, avr=toolchain == "avr-"), frames, ours)


def read_frames(text: str, frames: dict[str, int]) -> set[str]:
    """The frames of one .su file into `frames`, the largest of a name; returns the names. -1: without a bound."""
    names = set()
    for line in text.splitlines():
        place, size, kind = line.rsplit("\t", 2)
        name = re.sub(r"\(.*", "", place.split(":", 3)[3]).split(" ")[-1]
        bounded = kind == "static" or "bounded" in kind
        frames[name] = max(frames.get(name, 0), int(size)) if bounded and frames.get(name, 0) >= 0 else -1
        names.add(name)
    return names


def read_functions(disassembly: str, *, avr: bool) -> dict[str, Function]:
    """What `objdump -d` shows of each function."""
    functions: dict[str, Function] = {}
    function, name = Function(), ""
    for line in disassembly.splitlines():
        if match := _SYMBOL.match(line):
            name = plain(match[1])
            function = functions.setdefault(name, Function(AVR_RETURN_BYTES if avr else 0))
            continue
        _, tab, instruction = line.partition("\t")
        if tab:
            _take(function, name, instruction.strip())
    return functions


def plain(name: str) -> str:
    """Of a C++ function without its parameters, as the compiler's list of frames has it."""
    return re.sub(r"\(.*", "", name)


def _take(function: Function, name: str, instruction: str) -> None:
    mnemonic = instruction.split(None, 1)[0] if instruction else ""
    if _CALL.match(mnemonic) and (match := _TARGET.search(instruction)):
        target = plain(match[1])
        if target not in (name, RESET) and not match[2]:
            function.calls.add(target)
    elif _INDIRECT_CALL.match(instruction):
        function.through_pointer = True
    elif _INDIRECT_JUMP.match(instruction):
        function.jumps_through_pointer = True
    elif match := _REGISTERS.match(instruction):
        function.frame += sum(map(_register_bytes, match[1].split(",")))
    elif mnemonic == "push":
        function.frame += 1
    elif mnemonic == "rcall" and instruction.endswith(".+0"):
        function.frame += 2
    else:
        for number, pattern in enumerate(_LESS):
            if match := pattern.match(instruction):
                function.frame += int(match[1], 16 if number == len(_LESS) - 1 else 10)


def _register_bytes(text: str) -> int:
    """Of `r4`, `r4-r7`, `d8-d9`."""
    first, _, last = text.strip().partition("-")
    count = int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count * (8 if first.startswith("d") else 4)


def deepest(functions: dict[str, Function], frames: dict[str, int], port_users: Iterable[str]) -> StackBound:
    """Along the calls from the start, and the deepest interrupt on top. `port_users`: who calls the board through
    pointers."""
    start = next((name for name in STARTS if name in functions), "")
    if not start:
        return StackBound(None, "the image names no function")
    paths = _Paths(functions, frames, {_base(name) for name in port_users})
    try:
        interrupts = [paths.depth(name) for name in functions if _INTERRUPT.fullmatch(name)]
        return StackBound(paths.depth(start) + max(interrupts, default=0))
    except _UnboundedError as reason:
        return StackBound(None, str(reason))


@dataclass
class _Paths:
    """The deepest path from each function, as far as it was asked for."""

    functions: dict[str, Function]
    frames: dict[str, int]
    port_users: set[str]
    known: dict[str, int] = field(default_factory=dict)

    def depth(self, name: str, path: tuple[str, ...] = ()) -> int:
        """Bytes from `name` on, which was called along `path`. Raises _UnboundedError."""
        if name in path:
            raise _UnboundedError(f"{name} calls itself")
        function = self.functions.get(name)
        if function is None:
            return 0
        if name not in self.known:
            names = (name, _numberless(name), _base(name))
            frame = next((self.frames[each] for each in names if each in self.frames), function.frame)
            if frame < 0:
                raise _UnboundedError(f"the frame of {name} has no fixed size")
            called = self._targets(name, function)
            self.known[name] = frame + max((self.depth(target, (*path, name)) for target in called), default=0)
        return self.known[name]

    def _targets(self, name: str, function: Function) -> set[str]:
        if _base(name) in self.port_users and (function.through_pointer or function.jumps_through_pointer):
            return function.calls | set(PORT)
        if function.through_pointer and name in VIRTUAL:
            return function.calls | set(VIRTUAL[name])
        if function.through_pointer:
            raise _UnboundedError(f"{name} calls through a pointer")
        return function.calls


def _numberless(name: str) -> str:
    """As the compiler's list of frames has a clone: `infer.isra.0` of the image is `infer.isra` there."""
    return re.sub(r"\.\d+$", "", name)


def _base(name: str) -> str:
    """Of the compiler's clones: `infer.isra.0` is `infer`."""
    return name.split(".", 1)[0]
