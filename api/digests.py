# SPDX-License-Identifier: Apache-2.0
"""What every layer writes, compared by digests: a firmware that traces the same kernels and tables is asked, too.

One input shows there what hundreds of answers may hide, since later layers saturate. The firmware that is used stays as
it is, and is proven by its own answers; this one is made by the same build, and is the one that `profile` times. What
its digests say of tables and parameters holds for the firmware that is used, too: both images have the same ones.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyproof.core.board_spec import Board
from tinyproof.core.build_record import FIRMWARE_FILE, fault_of_firmware, read_build_record
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import NoRoomError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.tflite.layer_probes import LayerProbe
from tinyproof.localization import can_profile, name_of

if TYPE_CHECKING:
    from tinyproof.export.profile_codegen import ProfiledOperator
    from tinyproof.host.check_report import Digests
    from tinyproof.host.step_trace import StepTrace

PATIENCE_S = 10.0  # for an answer at least: digests of large tensors take longer than the inference

Put = Callable[[Path], object]


def build_trace(board: Board, folder: Path) -> None:
    """Makes the tracing firmware beside the one that is used, where the board is simulated and the model's operators
    run in turn. Where the board has no room for it there is none, and a check says so. What a single operator writes is
    the answer: there is nothing more to see. Raises EnvironmentFaultError where it is not built for another reason."""
    from tinyproof.export.profile_codegen import can_be_profiled, write_profile
    from tinyproof.firmware.platformio_build import build_profile

    if can_profile(board) and can_be_profiled(folder):
        with contextlib.suppress(NoRoomError):
            if len(write_profile(folder)) > 1:
                build_profile(board, folder)


def compare_digests(
    board: Board, folder: Path, port: str | None, config: CheckConfig, put: Put | None = None
) -> tuple[Digests | None, str]:
    """What the layers of some of the vectors come to, or None and why. `put` brings an ELF onto the board at `port`,
    which without it runs what it runs. Raises BoardError where the board does not answer, and what `put` and starting
    it raise."""
    from tinyproof.export.profile_codegen import can_be_profiled

    if board.kind == "host":
        return None, ""
    if (port is not None and put is None) or not can_profile(board):
        return None, "this board is asked for its answers alone"
    try:
        if not can_be_profiled(folder):
            return None, "the model has no operators that run in turn"
        return _ask(board, folder, port, config, put)
    except UsageError as fault:
        return None, fault.message


def _ask(
    board: Board, folder: Path, port: str | None, config: CheckConfig, put: Put | None
) -> tuple[Digests | None, str]:
    from tinyproof.core.tflite.cutting import can_cut
    from tinyproof.export.profile_codegen import FOLDER, SOURCE, write_profile
    from tinyproof.firmware.elf_tables import different_constants
    from tinyproof.host.expected import read_vectors
    from tinyproof.host.layer_probes import ask_probes, probing_of
    from tinyproof.host.step_trace import digested_vectors, open_tracing, trace_inputs
    from tinyproof.host.targets.emulator import Emulator

    start = time.monotonic()
    traced, plain = (folder / "boards" / board.name / part for part in (FOLDER, ""))
    steps = write_profile(folder)
    if len(steps) == 1:
        return None, ""
    record, used = read_build_record(traced), read_build_record(plain)
    manifest = read_manifest(folder)
    fault = fault_of_firmware(traced, manifest)
    source = hashlib.sha256((folder / FOLDER / SOURCE).read_bytes()).hexdigest()
    if not fault and (record is None or record.sources.get(SOURCE) != source):
        fault = f"was built from another {SOURCE}"
    if fault or record is None or used is None:
        return None, f"{FOLDER}/firmware.elf {fault}; ./tinyproof build --board {board.name} makes it where it fits"
    vectors = read_vectors(folder)
    inputs = [vectors.inputs[number] for number in digested_vectors(manifest, vectors)]
    patient = dataclasses.replace(config, timeout_s=max(config.timeout_s, PATIENCE_S))
    parts = [step.parts for step in steps]
    elf = traced / FIRMWARE_FILE
    arena_bytes = manifest.memory.arena_bytes if manifest.memory else 0
    without = "" if can_cut() else "tflite-micro is not installed"
    probes: list[LayerProbe | str] = [without or step.probe for step in steps]
    probing = probing_of(folder, folder / FOLDER, manifest, probes, arena_bytes)
    with contextlib.ExitStack() as stack:
        if put is None or port is None:
            port = stack.enter_context(Emulator(board, elf)).port
        else:
            put(elf)
        session = stack.enter_context(open_tracing(board, folder, port, parts, patient))
        seen = trace_inputs(session, folder, parts, inputs, sequence=vectors.sequence)
        wrong = ask_probes(session, probing, inputs[0], len(steps))
    constants = different_constants(plain / FIRMWARE_FILE, elf)
    found = _sum_up(steps, seen, record.flash_bytes - used.flash_bytes, constants)
    reasons = [f"{name_of(one)}: {why}" for one, why in zip(steps, probes, strict=True) if isinstance(why, str)]
    return dataclasses.replace(
        found,
        probes=sum(probe.trials for probe in probes if not isinstance(probe, str)),
        probe_layer="" if wrong is None else name_of(steps[wrong]),
        unprobed=[f"any operator: {without}"] if without else reasons,
        seconds=round(time.monotonic() - start, 3),
    ), ""


def _sum_up(
    steps: Sequence[ProfiledOperator],
    seen: Sequence[StepTrace],
    flash_bytes: int,
    constants: tuple[list[str], list[str]],
) -> Digests:
    from tinyproof.host.check_report import Digests

    wrong = [number for number, one in enumerate(seen) if one.first_wrong is not None or not one.proven]
    first = seen[wrong[0]].first_wrong if wrong else None
    layer = name_of(steps[first]) if first is not None else "the output" if wrong else ""
    return Digests(
        inputs=len(seen),
        layers=len(steps),
        outputs=sum(len(step.parts) for step in steps),
        different=len(wrong),
        first_input=wrong[0] if wrong else None,
        first_layer=layer,
        flash_bytes=flash_bytes,
        constants=len(constants[0]),
        constants_different=constants[1],
        seconds=0.0,
    )
