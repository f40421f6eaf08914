# SPDX-License-Identifier: Apache-2.0
"""The kernels that generated C includes, as files of a library that needs no include path.

The firmware of this project says by its include path which of a core's kernels come first. A library is compiled by
somebody else's build system, so there the compiler's own macros decide, in a header for each name that has several.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.core.paths import FIRMWARE

ENGINE = FIRMWARE / "lib" / "engine"
PLAIN = "kernels"
# Folders of faster kernels, the fastest first, and the cores that have them by the compiler's macros.
CONDITIONS = {
    "kernels_mve": "defined(__ARM_FEATURE_MVE) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'",
    "kernels_dsp": "defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'",
    "kernels_riscv": "defined(__riscv)",
    "kernels_thumb": "defined(__thumb__) && !defined(__thumb2__)",
    "kernels_blocked": "!defined(__AVR__)",
}
INCLUDE = re.compile(r'^(#include ")([^"]+\.h)(")', re.MULTILINE)
FOLDER = "kernels"  # in the library
CORE = "core.h"


@dataclass(frozen=True)
class _Header:
    """A file of the engine: `variant` is the folder of ENGINE in whose kernels/ it lies, PLAIN for ENGINE/kernels."""

    variant: str
    name: str

    @property
    def path(self) -> Path:
        return ENGINE / self.name if self.variant == PLAIN else ENGINE / self.variant / self.name

    @property
    def place(self) -> str:
        """In the library: kernels/NAME, or kernels/VARIANT/NAME."""
        stem = self.name.removeprefix(f"{PLAIN}/")
        return (
            f"{FOLDER}/{stem}" if self.variant == PLAIN else f"{FOLDER}/{self.variant.removeprefix('kernels_')}/{stem}"
        )


@dataclass
class KernelFiles:
    """`files`: path in the library -> text, once `adapt` has seen the sources that include them."""

    files: dict[str, str] = field(default_factory=dict)

    def adapt(self, source: str, place: str) -> str:
        """`source`, a file at `place` in the library, with its includes of kernels as paths from there; takes up the
        files that they mean, and those that these include."""
        folder = posixpath.dirname(place)
        adapted = INCLUDE.sub(lambda match: f"{match[1]}{self._target(match[2], None, folder)}{match[3]}", source)
        core = f"{FOLDER}/{CORE}"
        if core in self.files:  # its options of the compiler hold for what follows: for all kernels, or for none
            first = f'#include "{posixpath.relpath(FOLDER, folder or ".")}/'
            adapted = adapted.replace(first, f'{first}{CORE}"\n{first}', 1)
        return adapted

    def _target(self, include: str, includer: _Header | None, folder: str) -> str:
        """What stands in an include instead of `include`, in a file in `folder` of the library."""
        found = self._find(include, includer)
        if not found:
            return include
        for header in found:
            self._take(header)
        place = found[0].place if len(found) == 1 else self._take_choice(found)
        return posixpath.relpath(place, folder or ".")

    def _find(self, include: str, includer: _Header | None) -> Sequence[_Header]:
        """The files that an include may mean, the fastest first. A neighbour is found before any folder is looked at,
        as the compiler does."""
        if includer is not None:
            neighbour = _Header(includer.variant, posixpath.join(posixpath.dirname(includer.name), include))
            if neighbour.path.is_file():
                return [neighbour]
        return [header for variant in (*CONDITIONS, PLAIN) if (header := _Header(variant, include)).path.is_file()]

    def _take(self, header: _Header) -> None:
        if header.place in self.files:
            return
        self.files[header.place] = ""  # headers may include each other
        folder = posixpath.dirname(header.place)
        text = header.path.read_text(encoding="utf-8")
        self.files[header.place] = INCLUDE.sub(
            lambda match: f"{match[1]}{self._target(match[2], header, folder)}{match[3]}", text
        )

    def _take_choice(self, found: Sequence[_Header]) -> str:
        """A header that includes the one of `found` that the core can run. Returns its path in the library."""
        stem = posixpath.basename(found[0].name)
        place = f"{FOLDER}/any_{stem}"
        if place not in self.files:
            self._take(_Header(PLAIN, f"{PLAIN}/compiler.h"))
            self.files[f"{FOLDER}/{CORE}"] = _core()
            lines = ["/* SPDX-License-Identifier: Apache-2.0", f" * {stem}, as the core can run it.", " */"]
            lines.append(f'#include "{CORE}"')
            word = "#if"
            for header in found:
                if header.variant != PLAIN:
                    lines += [
                        f"{word} {_flag(header.variant)}",
                        f'#include "{posixpath.relpath(header.place, FOLDER)}"',
                    ]
                    word = "#elif"
                else:
                    lines += ["#else", f'#include "{posixpath.relpath(header.place, FOLDER)}"']
            self.files[place] = "\n".join([*lines, "#endif"]) + "\n"
        return place


def _core() -> str:
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0",
        " * Which kernels the core can run; all compute the same bits. -DKERNELS_PORTABLE takes the plain ones.",
        " */",
        "#ifndef TINYPROOF_KERNELS_CORE_H",
        "#define TINYPROOF_KERNELS_CORE_H",
        "",
        '#include "compiler.h"',
        "",
        "/* Assembly needs more registers than Clang has to give, and GCC where it does not optimize. */",
        "#if KERNELS_GNU && !defined(__clang__) && defined(__OPTIMIZE__) && !defined(KERNELS_PORTABLE)",
        "#define CORE_ASSEMBLY 1",
        "#else",
        "#define CORE_ASSEMBLY 0",
        "#endif",
    ]
    for variant, condition in CONDITIONS.items():
        flag = _flag(variant)
        lines += ["", f"#if CORE_ASSEMBLY && {condition}"]
        # What follows would need the frame pointer's register, too.
        lines += [
            f"#define {flag} 1",
            '#pragma GCC optimize("omit-frame-pointer")',
            "#else",
            f"#define {flag} 0",
            "#endif",
        ]
    return "\n".join([*lines, "", "#endif"]) + "\n"


def _flag(variant: str) -> str:
    return f"CORE_HAS_{variant.removeprefix('kernels_').upper()}"
