# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM of an image, as a whole from the ELF and by layer from the linker's map.

What the engine costs is the difference to an image without it: beside the engine's own code that of a library that it
comes from, whatever its folder is called, and those parts of the toolchain's libraries that nothing else refers to.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from tinyproof.core.build_record import Size

LAYERS = ("engine", "model", "protocol", "hal", "app", "core")

# Layer by a part of the object's path; `core` (start-up code, libgcc, libc, alignment, stack) is what is left but for
# what only the engine needs.
_PATHS = {
    "/lib/engine/": "engine",
    "/lib/hal/cxx_runtime.": "engine",  # what the interpreter needs of a C++ runtime
    "/model/model_": "model",
    "/lib/protocol/": "protocol",
    "/lib/mlperf/": "protocol",
    "/lib/hal/startup_": "core",
    "/lib/hal/": "hal",
    "/src/main.": "app",
    "/src/main_arduino.": "app",
}
# A library of the user's: PlatformIO gives each a folder named by a hash.
_LIBRARY = re.compile(r"/lib[0-9a-fA-F]{3}/lib[^/]+\.a\(")
_CROSS_REFERENCE = "Cross Reference Table"
# main.c holds the state of two other layers, each a static variable named after its layer.
_STATE = re.compile(r"\.(?:bss|data)\.(?:_ZL\d+)?(engine|protocol)(?:[.$]\d+)?$")
_OUTPUT = re.compile(r"^(\.\S+)(?:\s+0x[0-9a-f]+\s+0x[0-9a-f]+.*)?$")
_INPUT = re.compile(r"^ (\.\S+|COMMON|\*fill\*)(?:\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?:\s+(.*))?)?$")
_CONTINUED = re.compile(r"^\s{2,}0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$")


def elf_size(elf: Path) -> Size:
    """Size of the whole image: sections that the target holds in memory."""
    size = Size(0, 0)
    with elf.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            flags = section["sh_flags"]
            if not flags & SH_FLAGS.SHF_ALLOC:
                continue
            if section["sh_type"] != "SHT_NOBITS":
                size.flash_bytes += section["sh_size"]
            if flags & SH_FLAGS.SHF_WRITE:
                size.ram_bytes += section["sh_size"]
    return size


def layer_sizes(elf: Path, linker_map: Path) -> dict[str, Size]:
    """Size of each of LAYERS; they add up to the whole image, what the map does not name going to `core`."""
    layers = {layer: Size(0, 0) for layer in LAYERS}
    text = linker_map.read_text(encoding="utf-8", errors="replace")
    engines_alone = only_for_engine(text)
    for output, section, count, path in map_entries(text):
        size = layers["engine" if path in engines_alone else layer_of(section, path)]
        if output in (".text", ".data", ".ARM.exidx"):
            size.flash_bytes += count
        if output in (".data", ".bss"):
            size.ram_bytes += count
    whole = elf_size(elf)
    layers["core"].flash_bytes += whole.flash_bytes - sum(size.flash_bytes for size in layers.values())
    layers["core"].ram_bytes += whole.ram_bytes - sum(size.ram_bytes for size in layers.values())
    return layers


def map_entries(text: str) -> Iterator[tuple[str, str, int, str]]:
    """(output section, input section, bytes, object) of each contribution that GNU ld's map lists."""
    _, _, text = text.partition("Linker script and memory map")
    text = text.partition(_CROSS_REFERENCE)[0]
    output = pending = ""
    for line in text.splitlines():
        if pending and (match := _CONTINUED.match(line)):
            yield output, pending, int(match[1], 16), match[2]
            pending = ""
        elif match := _OUTPUT.match(line):
            output, pending = match[1], ""
        elif match := _INPUT.match(line):
            # A long name stands alone on its line; numbers and object follow on the next.
            pending = "" if match[2] else match[1]
            if match[2] and match[3]:
                yield output, match[1], int(match[2], 16), match[3]


def only_for_engine(text: str) -> set[str]:
    """Members of the toolchain's libraries that an image without the engine would not hold: by the map's table of
    cross references, no way leads to them but through the engine."""
    needs: defaultdict[str, set[str]] = defaultdict(set)  # object -> those that define what it refers to
    definer, members = "", set()
    for line in text.partition(_CROSS_REFERENCE)[2].splitlines():
        words = line.split(None, 1)
        if line.startswith(" ") and definer:
            needs[line.strip()].add(definer)
        elif len(words) == 2 and "/" in words[1]:
            definer = words[1].strip()
            members |= {definer} if definer.endswith(")") else set()
    members = {path for path in members if layer_of("", path) == "core"}
    # An object that is no member is linked in any case.
    waiting = {path for path in needs if not path.endswith(")") and layer_of("", path) not in ("engine", "model")}
    reached: set[str] = set()
    while waiting:
        path = waiting.pop()
        reached.add(path)
        waiting |= {needed for needed in needs[path] & members if needed not in reached}
    return members - reached


def layer_of(section: str, path: str) -> str:
    """Whose a section of an object is, or all of it where none is named; `path`: as the linker's map has it."""
    if _LIBRARY.search(path):
        return "engine"
    layer = next((layer for part, layer in _PATHS.items() if part in path), "core")
    if layer == "app" and (state := _STATE.search(section)):
        return state[1]
    return layer
