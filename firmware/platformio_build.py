# SPDX-License-Identifier: Apache-2.0
"""Builds a board's firmware with PlatformIO and says what it costs: build/<model>/boards/<board>/firmware.elf."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.board_spec import Board, MemorySpec
from tinyproof.core.build_record import FILE as RECORD
from tinyproof.core.build_record import FIRMWARE_FILE, BuildRecord, RamUse, Size
from tinyproof.core.errors import EnvironmentFaultError, NoRoomError, UsageError
from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.core.manifest import Manifest, MemoryUse, read_manifest, stale_artefacts
from tinyproof.core.paths import BUILD, FIRMWARE, shown
from tinyproof.core.system_packages import missing_to_build, refuse_missing
from tinyproof.firmware.dialects import MLPERF, mlperf_sample
from tinyproof.firmware.elf_sizes import layer_sizes
from tinyproof.firmware.environments import ensure_environments
from tinyproof.firmware.images import write_images
from tinyproof.firmware.platformio_core import CORE, ensure_core
from tinyproof.firmware.stack_bound import StackBound, stack_bound

# What the firmware is made from; a change of anything else in the build folder does not concern it.
USED_ARTEFACTS = (
    "model.tflite",
    "model_data.c",
    "model_data.h",
    "model_compiled.c",
    "model_compiled.h",
    "model_tflm.h",
)
PROFILE = "profile"  # the firmware that runs the operators one by one
PROFILE_SOURCE = "model_profile.c"  # in a folder of that name
TIMEOUT_S = 600.0

# Variables by which PlatformIO changes what platformio.ini says: flags that somebody has set for another project make
# another image, or an uploader that fails. One out of a cache comes without the linker's map, which says what it is.
_OF_A_PROJECT = re.compile("PLATFORMIO_(?:BUILD|SRC|UPLOAD|LIB|LIBDEPS|INCLUDE|BOARDS|SHARED|EXTRA|DEFAULT)_")
_OFFLINE = re.compile(r"HTTPClientError|InternetConnectionError|Could not connect to|ConnectionError")
_ERROR = re.compile(r"(?:fatal error|error): |undefined reference|^error: |^\*\*\* ", re.IGNORECASE)
_OVERFLOW = re.compile(r"region `(flash|ram|text|data)' overflowed by (\d+) bytes")
_OUTSIDE = re.compile(r"address 0x([0-9a-f]+) of \S+ section `\S+' is not within region `data'")
_REGIONS = {"flash": "flash", "ram": "ram", "text": "flash", "data": "ram"}  # the last two are avr-gcc's names


@dataclass(frozen=True)
class BuildResult(BuildRecord):
    """A build that was just made, and where its image is."""

    elf: Path


def check_artefacts(build_dir: Path) -> Manifest:
    """The manifest of an export that is complete and unchanged; UsageError names what is missing or stale."""
    manifest = read_manifest(build_dir)
    if not {"model_compiled.c", "model_compiled.h"} <= manifest.artefacts.keys():
        raise UsageError(f"{shown(build_dir)} holds no exported model; run ./tinyproof export first")
    stale = [name for name in stale_artefacts(manifest, build_dir) if name in USED_ARTEFACTS]
    if stale:
        names = ", ".join(stale)
        remedy = "run ./tinyproof export again"
        raise UsageError(f"{shown(build_dir)}: {names} missing or changed since the export; {remedy}")
    return manifest


def build(board: Board, build_dir: Path, *, dialect: str = "") -> BuildResult:
    """Compile the model in `build_dir` for `board`; writes firmware.elf, the same as .bin, .hex and
    .uf2, and build.json to boards/<board>/.

    `dialect`: one of dialects.py, whose firmware has a folder of its own there; "" is tinyproof's own.

    Raises UsageError for a board without firmware or artefacts that are missing or stale, EnvironmentFaultError when
    the compiler is missing (naming the package), the build fails (its first error line), or the image does not fit
    the board (with the sizes).
    """
    if board.kind == "host":
        raise UsageError(f"board {board.name} is this machine and has no firmware; ./tinyproof check asks it directly")
    manifest = check_artefacts(build_dir)
    refuse_missing(missing_to_build(board))
    if dialect == MLPERF:
        mlperf_sample(board, manifest)  # what it cannot be is told before a compiler tells it
    folder = keep_inside(build_dir.resolve() / "boards" / board.name / dialect, build_dir.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    objects = objects_folder(board, build_dir, dialect)
    with _forgotten_if_failed(folder):
        run_platformio(board, build_dir.resolve(), objects, variant=dialect)
    bound = StackBound(None, "the vendor's core is built without the compiler's list of frames")
    if board.kind == "simulated":
        bound = stack_bound(objects / board.name / "firmware.elf", board.build.toolchain, objects)
    result = _keep(board, manifest, objects, folder, bound)
    write_images(result.elf, board.build.uf2_family)
    result.write(folder)
    return result


def _keep(board: Board, manifest: Manifest, objects: Path, folder: Path, bound: StackBound, **more: str) -> BuildResult:
    """Copies the ELF that PlatformIO made to `folder`, and says what it costs. `more`: SHA-256 of further sources."""
    produced = objects / board.name / "firmware.elf"
    layers = layer_sizes(produced, produced.with_suffix(".map"))
    if board.memory is not None and not board.build.linker_script:  # ours have a section for the stack, others have not
        layers["core"].ram_bytes += board.memory.stack_bytes or 0
    elf = folder / FIRMWARE_FILE
    write_at_once(elf, produced.read_bytes())  # Ctrl-C leaves the image that was there
    return BuildResult(
        board=board.name,
        engine=board.engine,
        model_id=manifest.model_id,
        flash_bytes=sum(size.flash_bytes for size in layers.values()),
        ram_bytes=sum(size.ram_bytes for size in layers.values()),
        engine_flash_bytes=layers["engine"].flash_bytes + layers["model"].flash_bytes,
        engine_ram_bytes=layers["engine"].ram_bytes + layers["model"].ram_bytes,
        layers=layers,
        elf_sha256=hashlib.sha256(elf.read_bytes()).hexdigest(),
        sources={name: manifest.artefacts[name].sha256 for name in USED_ARTEFACTS if name in manifest.artefacts} | more,
        ram=ram_use(board, manifest.memory, layers),
        stack_bound_bytes=bound.bytes,
        stack_bound_why=bound.why,
        elf=elf,
    )


def ram_use(board: Board, memory: MemoryUse | None, layers: dict[str, Size]) -> RamUse:
    """What the RAM of a built image is for, by what the export planned and the layers' sizes."""
    engine = layers["engine"].ram_bytes + layers["model"].ram_bytes
    state = memory.state_bytes if memory else 0
    arena = 0
    if memory:
        arena = min(engine, memory.tflm_arena_bytes if board.engine == "tflm" else memory.arena_bytes) - state
    stack = (board.memory.stack_bytes or 0) if board.memory else 0
    protocol = layers["protocol"].ram_bytes
    other = sum(size.ram_bytes for size in layers.values()) - engine - protocol - stack
    return RamUse(arena, state, engine - arena - state, protocol, stack, other)


def compile_profile(board: Board, build_dir: Path) -> Manifest:
    """Compiles the firmware that times every operator and takes the digest of what it writes, from build_dir/profile/,
    for an upload; returns the export's manifest.

    Raises UsageError for artefacts that are missing or stale, EnvironmentFaultError when the build fails. The board's
    normal build is neither used nor touched.
    """
    manifest = check_artefacts(build_dir)
    run_platformio(board, build_dir.resolve(), objects_folder(board, build_dir, PROFILE), variant=PROFILE)
    return manifest


def build_profile(board: Board, build_dir: Path) -> BuildResult:
    """The same, and its ELF and record in boards/<board>/profile/, for a board that is simulated."""
    folder = keep_inside(build_dir.resolve() / "boards" / board.name / PROFILE, build_dir.resolve())
    folder.mkdir(parents=True, exist_ok=True)
    with _forgotten_if_failed(folder):
        manifest = compile_profile(board, build_dir)
    objects = objects_folder(board, build_dir, PROFILE)
    dealt_out = hashlib.sha256((build_dir / PROFILE / PROFILE_SOURCE).read_bytes()).hexdigest()
    bound = StackBound(None, "it is never the firmware that is used")
    result = _keep(board, manifest, objects, folder, bound, **{PROFILE_SOURCE: dealt_out})
    result.write(folder)
    return result


@contextlib.contextmanager
def _forgotten_if_failed(folder: Path) -> Iterator[None]:
    """Where a build fails, the image that lies there is not what was asked for: no check may take it for that."""
    try:
        yield
    except EnvironmentFaultError:
        (folder / RECORD).unlink(missing_ok=True)
        raise


def objects_folder(board: Board, build_dir: Path, variant: str = "") -> Path:
    """Where PlatformIO builds: the firmwares of a board never share an object file. `variant`: PROFILE or a dialect."""
    return build_dir.resolve() / "boards" / board.name / (f"pio_{variant}" if variant else "pio")


def run_platformio(
    board: Board, build_dir: Path, objects: Path, *options: str, variant: str = "", note_upload: Path | None = None
) -> None:
    """`pio run` of the board's environment. `note_upload`: the file that gets the command of an upload, which is then
    not run. Raises EnvironmentFaultError with what went wrong, in one line: NoRoomError where it does not fit."""
    ensure_core()
    ensure_environments()
    # -P: nothing in the user's folder is imported in place of PlatformIO's own.
    command = [sys.executable, "-P", "-m", "platformio", "run", "-d", str(FIRMWARE), "-e", board.name, *options]
    environment = {name: value for name, value in os.environ.items() if not _OF_A_PROJECT.match(name)} | {
        "PLATFORMIO_CORE_DIR": str(CORE),
        "PLATFORMIO_WORKSPACE_DIR": str(BUILD / ".pio"),  # platformio.ini means the same, in a clone
        "PLATFORMIO_BUILD_DIR": str(objects),
        "TINYPROOF_MODEL": str(build_dir),
        "TINYPROOF_VARIANT": variant,
        "TINYPROOF_UPLOAD": "" if note_upload is None else str(note_upload),
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFaultError(f"PlatformIO did not finish {board.name} in {TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        log = objects.with_suffix(".log")
        write_at_once(log, done.stdout + done.stderr)
        raise explain(board, done.stdout + done.stderr, log)


def explain(board: Board, output: str, log: Path) -> EnvironmentFaultError:
    """What went wrong in a failed build, in one line. `log`: the file that holds all of it."""
    if board.memory is not None and (excess := _excess(board.memory, output)):
        room = {"flash": board.memory.flash_bytes, "ram": board.memory.ram_bytes}
        parts = [
            f"needs {room[region] + count:,} B of {region}, the board has {room[region]:,} B"
            for region, count in excess.items()
        ]
        if "ram" in excess and board.memory.stack_bytes:
            parts.append(f"{board.memory.stack_bytes:,} B of the ram are the stack's")
        return NoRoomError(
            f"{board.name}: the firmware does not fit: {'; '.join(parts)}; take a smaller model or a larger board"
        )
    if _OFFLINE.search(output):
        return EnvironmentFaultError(
            f"{board.name}: PlatformIO could not reach its registry, from which the first build for this board fetches "
            "compiler and core; connect this machine to the internet and build again"
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    first = next((line for line in lines if _ERROR.search(line)), lines[-1] if lines else "no output")
    first = first.replace(f"{FIRMWARE.parent}{os.sep}", "")
    return EnvironmentFaultError(f"{board.name}: the build failed: {first} (all of it: {shown(log)})")


def _excess(memory: MemorySpec, output: str) -> dict[str, int]:
    """Region -> bytes that the linker found too many."""
    excess = {_REGIONS[name]: int(count) for name, count in _OVERFLOW.findall(output)}
    if outside := _OUTSIDE.findall(output):  # how avr-gcc's older linker puts it
        end = max(int(address, 16) for address in outside)
        excess["ram"] = end - (memory.ram_origin or 0) + (memory.stack_bytes or 0) - memory.ram_bytes
    return excess
