# SPDX-License-Identifier: Apache-2.0
"""Faults on the simulated board itself: in the tables of the image that is used, and whole firmwares in its place."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import random
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tinyproof.core.board_spec import Board, all_boards
from tinyproof.core.build_record import FILE, FIRMWARE_FILE, read_build_record
from tinyproof.core.config import CheckConfig, ExportConfig
from tinyproof.core.errors import EnvironmentFaultError, TinyproofError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.tflite.layer_probes import PAIRS, LayerProbe
from tinyproof.digests import build_trace, compare_digests
from tinyproof.export.layer_probes import PASSES
from tinyproof.export.profile_codegen import FOLDER as TRACED
from tinyproof.faults.campaign import Campaign
from tinyproof.faults.editing import edit_source
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.judging import ANSWERS, DIGESTS, EQUIVALENT, IMAGE, MISSED, STOPPED, UNDEFINED, FaultVerdict
from tinyproof.faults.score import BoardSample
from tinyproof.faults.sharing import in_turns
from tinyproof.firmware.elf_tables import model_constants
from tinyproof.host.check import check
from tinyproof.host.check_report import Digests

Progress = Callable[[int, int], None]

MAX_REBUILT = 12  # faults that only a firmware of their own can show; each takes seconds
OF_EVERY_ELEMENT = ("multipliers", "shifts", "zero points", "clamps")  # of elementwise operators
TIMEOUT_S, RETRIES = 2.0, 1  # a board that hangs is to be known soon


@contextlib.contextmanager
def copied(folder: Path, board: Board) -> Iterator[Path]:
    """The build once more, with the firmware of `board`, in a folder of its own that has the build's name."""
    with tempfile.TemporaryDirectory(prefix="tinyproof-faulty-") as place:
        target = Path(place) / folder.name
        target.mkdir()
        for file in folder.iterdir():
            if file.is_file():
                shutil.copy2(file, target)
        shutil.copytree(folder / TRACED, target / TRACED, dirs_exist_ok=True)
        for part in ("", TRACED):
            source = folder / "boards" / board.name / part
            (target / "boards" / board.name / part).mkdir(parents=True, exist_ok=True)
            for name in (FIRMWARE_FILE, FILE):
                if (source / name).is_file():
                    shutil.copy2(source / name, target / "boards" / board.name / part)
        yield target


def put_image(build: Path, board: Board, image: bytes) -> None:
    """`image` is the firmware, and its record says so: as if the board's build had made it."""
    place = build / "boards" / board.name
    (place / FIRMWARE_FILE).write_bytes(image)
    record = read_build_record(place)
    assert record is not None
    dataclasses.replace(record, elf_sha256=hashlib.sha256(image).hexdigest()).write(place)


def ask(board: Board, build: Path, config: CheckConfig) -> tuple[str, str]:
    """How a default check ends, and in what words: ANSWERS, STOPPED, DIGESTS, IMAGE, or "" where all is proven."""
    return _ask(board, build, config)[:2]


def _ask(board: Board, build: Path, config: CheckConfig) -> tuple[str, str, Digests | None]:
    """The same, and what its layers came to, where they were asked."""
    quick = dataclasses.replace(config, timeout_s=max(TIMEOUT_S, config.timeout_s), retries=RETRIES)
    try:
        report = check(board, build, None, quick)
        if fault := report.mismatch():
            return ANSWERS, fault, None
        report.digests, _ = compare_digests(board, build, None, quick)
    except TinyproofError as error:
        return STOPPED, error.message, None
    if report.digests is not None and not report.digests.same:
        return IMAGE if report.digests.constants_different else DIGESTS, report.mismatch(), report.digests
    return "", "", report.digests


def patched(image: bytes, elf: Path, campaign: Campaign, fault: EngineFault) -> bytes | None:
    """The image with the fault in its tables; None where it has not all of them, as the compiler has folded them."""
    constants = model_constants(elf)
    changed = bytearray(image)
    for change in fault.changes:
        region = campaign.engine.regions[change.region]
        found = constants.get(region.name)
        if found is None or found.content != region.content:
            return None
        start = found.offset + change.offset
        changed[start : start + len(change.content)] = change.content
    return bytes(changed) if fault.changes else None


def ask_board(
    board: Board,
    folder: Path,
    campaign: Campaign,
    verdicts: Sequence[FaultVerdict],
    count: int,
    config: CheckConfig,
    progress: Progress,
) -> BoardSample:
    """`count` faults in tables, kinds in turns, planted into the image and asked as a check does; what was found here
    must be found there, and by answers what was found by answers."""
    elf = folder / "boards" / board.name / FIRMWARE_FILE
    image = elf.read_bytes()
    chosen: list[tuple[FaultVerdict, bytes]] = []
    for verdict in _in_turns(verdicts, campaign.seed):
        if len(chosen) == count:
            break
        if verdict.here and (faulty := patched(image, elf, campaign, verdict.fault)) is not None:
            chosen.append((verdict, faulty))
    different = []
    with copied(folder, board) as build:
        for number, (verdict, faulty) in enumerate(chosen):
            put_image(build, board, faulty)
            how, words = ask(board, build, config)
            # A check asks the known answers, too, which nobody asks here: it may see by answers what digests show here.
            unseen = verdict.how in (ANSWERS, STOPPED) and how not in (ANSWERS, STOPPED)
            if unseen or (verdict.how != EQUIVALENT and not how):
                different.append(
                    f"{verdict.fault}: {verdict.how} here, on the board {how or 'nothing'} {words}".strip()
                )
            progress(number + 1, len(chosen))
    return BoardSample(len(chosen), len(chosen) - len(different), different)


def _in_turns(verdicts: Sequence[FaultVerdict], seed: int) -> Iterator[FaultVerdict]:
    """Each kind once, then each a second time, and so on."""
    piles: dict[str, list[FaultVerdict]] = defaultdict(list)
    for verdict in verdicts:
        piles[verdict.fault.kind].append(verdict)
    source = random.Random(f"{seed} board")
    for pile in piles.values():
        source.shuffle(pile)
    return in_turns(list(piles.values()))


def undefined_on_board(
    board: Board, folder: Path, campaign: Campaign, verdicts: Sequence[FaultVerdict], config: CheckConfig
) -> list[FaultVerdict]:
    """The same verdicts, and of faults that end differently on different machines what the board says: it gets a
    firmware of the changed C."""
    found, rebuilt = [], 0
    for verdict in verdicts:
        if verdict.why == UNDEFINED and rebuilt < MAX_REBUILT:
            with copied(folder, board) as build:
                text = (build / "model_compiled.c").read_text(encoding="utf-8")
                edited = edit_source(text, campaign.engine.regions, verdict.fault, mve=campaign.engine.mve)
                if edited is not None:
                    _replace_source(build, edited)
                    rebuilt += 1
                    verdict = _asked_anew(board, build, verdict, campaign, config)
        found.append(verdict)
    return found


def _asked_anew(
    board: Board, build: Path, verdict: FaultVerdict, campaign: Campaign, config: CheckConfig
) -> FaultVerdict:
    from tinyproof.firmware.platformio_build import build as compile_firmware

    try:
        compile_firmware(board, build)
        build_trace(board, build)
    except EnvironmentFaultError as error:  # the compiler sees the shift, too
        return FaultVerdict(verdict.fault, STOPPED, error.message)
    how, words, digests = _ask(board, build, config)
    if how:
        return FaultVerdict(verdict.fault, how, f"on the board: {words}")
    if campaign.exhaustive:
        return FaultVerdict(verdict.fault, EQUIVALENT, "the same answer to all 256 inputs, on the board")
    if digests is None:
        return FaultVerdict(verdict.fault, MISSED, "the board answers all vectors as before")
    if _asked_all_pairs(campaign, verdict.fault, digests):
        words = f"of {PAIRS:,} pairs of bytes, all there are, the board makes the same bytes in each of {PASSES} places"
        return FaultVerdict(verdict.fault, EQUIVALENT, words)
    return FaultVerdict(verdict.fault, MISSED, "the board answers all vectors as before, and each layer alone does")


def _asked_all_pairs(campaign: Campaign, fault: EngineFault, digests: Digests) -> bool:
    """Whether the board has made everything of its layer that there is: of all elements the same, of two bytes each."""
    if fault.kind not in OF_EVERY_ELEMENT or fault.operator is None or digests.unprobed:
        return False
    probe = campaign.probes[campaign.engine.steps.index(fault.operator)]
    return isinstance(probe, LayerProbe) and probe.passes >= PASSES and probe.inputs[0].bytes % PASSES == 0


def _replace_source(build: Path, text: str) -> None:
    """The manifest takes it for the export's."""
    file = build / "model_compiled.c"
    file.write_text(text, encoding="utf-8", newline="\n")
    manifest = read_manifest(build)
    manifest.add_artefact(file)
    manifest.write(build)


def swap_firmware(board: Board, folder: Path, config: CheckConfig, progress: Progress) -> list[FaultVerdict]:
    """Whole firmwares in the place of the right one: of another model, of another board, and of an earlier export."""
    swaps = [_other_model, _other_model_recorded, _other_board, _stale, _failed_build]
    found = []
    for number, swap in enumerate(swaps):
        with copied(folder, board) as build:
            words = swap(board, build)
            how, why = ask(board, build, config)
        found.append(FaultVerdict(EngineFault("firmware", None, "", words), how or MISSED, why or "a check proves it"))
        progress(number + 1, len(swaps))
    return found


def _other_image(board: Board, identity: str) -> bytes:
    """The firmware of a model that is not `identity`: 1-16-16-1, or a wider one."""
    from tinyproof.export.export import export_model
    from tinyproof.firmware.platformio_build import build as compile_firmware
    from tinyproof.train.builtin import make_sine, make_wide

    for make in (make_sine, make_wide):
        with tempfile.TemporaryDirectory(prefix="tinyproof-other-") as name:
            other = Path(name) / "other"
            make(other)
            if export_model(ExportConfig(), CheckConfig(), other).model_id != identity:
                return compile_firmware(board, other).elf.read_bytes()
    raise AssertionError("two models have one id")


def _other_model(board: Board, build: Path) -> str:
    (build / "boards" / board.name / FIRMWARE_FILE).write_bytes(_other_image(board, read_manifest(build).model_id))
    return "the image of another model lies in its place"


def _other_model_recorded(board: Board, build: Path) -> str:
    put_image(build, board, _other_image(board, read_manifest(build).model_id))
    return "the image of another model, and a record that fits it"


def _other_board(board: Board, build: Path) -> str:
    from tinyproof.firmware.platformio_build import build as compile_firmware

    for other in all_boards().values():
        alike = other.kind == "simulated" and other.build.toolchain == board.build.toolchain
        if alike and other.engine == board.engine and other.name != board.name:
            try:
                image = compile_firmware(other, build).elf.read_bytes()
            except EnvironmentFaultError:  # it has no room for the model
                continue
            put_image(build, board, image)
            return f"the image of board {other.name}, and a record that fits it"
    put_image(build, board, _other_image(board, read_manifest(build).model_id))
    return "the image of another model, as no other board has room for this one"


def _stale(board: Board, build: Path) -> str:
    """An export changes the C behind a firmware that was built before."""
    text = (build / "model_compiled.c").read_text(encoding="utf-8")
    _replace_source(build, f"{text}/* another export */\n")
    return "the firmware of an earlier export"


def _failed_build(board: Board, build: Path) -> str:
    (build / "boards" / board.name / FILE).unlink()
    return "the firmware before a build that failed"
