# SPDX-License-Identifier: Apache-2.0
"""build.json in build/<model>/boards/<board>/: what a firmware costs, and which model it runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tinyproof.core.converter import MistypedError, read_json, structure, unstructure
from tinyproof.core.errors import UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.manifest import Manifest

FILE = "build.json"
FIRMWARE_FILE = "firmware.elf"


@dataclass
class Size:
    """Bytes of flash (code, constants, initial values) and of RAM (data, zeroed data, reserved stack)."""

    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class RamUse:
    """What RAM is for, in bytes; together the whole of it that the image takes. `arena_bytes`: tensors that live within
    one inference, and what an interpreter keeps there; `state_bytes`: those that live on; `engine_bytes`: all else of
    engine and model. `protocol_bytes`: buffers of the line. `stack_bytes`: kept free for the stack."""

    arena_bytes: int
    state_bytes: int
    engine_bytes: int
    protocol_bytes: int
    stack_bytes: int
    other_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return sum(self.__dict__.values())

    def in_words(self) -> str:
        """Without what takes nothing."""
        parts = zip(RAM_KINDS, self.__dict__.values(), strict=True)
        return ", ".join(f"{name} {count:,}" for name, count in parts if count)


RAM_KINDS = tuple(field.name.removesuffix("_bytes") for field in fields(RamUse))


@dataclass(frozen=True)
class BuildRecord:
    """Sizes in bytes. `engine_*` is what the engine and the model cost together, without the rest of the firmware.
    `layers`: the whole by layer of the firmware, which add up to it, and `ram` by what it is for.

    `stack_bound_bytes`: how deep the stack gets at most by the frames and calls of the image; None where there is no
    bound, `stack_bound_why` says why. `elf_sha256`: of firmware.elf. `sources`: SHA-256 of each artefact of the export
    that it was built from, by its name."""

    board: str
    engine: str
    model_id: str
    flash_bytes: int
    ram_bytes: int
    engine_flash_bytes: int
    engine_ram_bytes: int
    layers: dict[str, Size]
    ram: RamUse
    stack_bound_bytes: int | None
    stack_bound_why: str
    elf_sha256: str
    sources: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """What build.json holds: no path, so that equal builds write equal files."""
        return unstructure(self, BuildRecord)

    def write(self, folder: Path) -> None:
        """To build.json in `folder`, the same bytes for the same build."""
        write_at_once(folder / FILE, json.dumps(self.as_dict(), indent=1) + "\n")


def read_build_record(folder: Path) -> BuildRecord | None:
    """The record in boards/<board>/, None where nothing was built. Raises UsageError naming what is damaged."""
    try:
        return structure(read_json(folder / FILE), BuildRecord)
    except FileNotFoundError:
        return None
    except (OSError, MistypedError) as fault:
        raise UsageError(
            f"{folder.name}/{FILE} is damaged ({fault}); run ./tinyproof build --board {folder.name} again"
        ) from None


def fault_of_firmware(folder: Path, manifest: Manifest) -> str:
    """Why firmware.elf in boards/<board>/ is not what the last build there made from this export; "" where it is.

    Raises UsageError for a record that is damaged, or of another release."""
    elf = folder / FIRMWARE_FILE
    if not elf.is_file():
        return "is missing"
    record = read_build_record(folder)
    if record is None:
        return f"has no {FILE} beside it: the last build failed"
    if hashlib.sha256(elf.read_bytes()).hexdigest() != record.elf_sha256:
        return "is not the file that was built: its SHA-256 is another"
    for name, digest in record.sources.items():
        if name in manifest.artefacts and manifest.artefacts[name].sha256 != digest:
            return f"was built from another {name} than the export's"
    return ""
