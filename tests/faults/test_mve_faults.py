# SPDX-License-Identifier: Apache-2.0
"""Faults in what a Cortex-M55 runs, whose tables and kernels are others than those of all other cores."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.classifier import steep_classifier
from support.compiled import compiled
from support.op_rows import convolution, fully_connected
from support.op_table import only_op

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.export.ops.fully_connected import FullyConnected
from tinyproof.export.ops.one_rounding import one_roundings
from tinyproof.export.ops.scaling import Scaling
from tinyproof.faults.bits import NumberFaults
from tinyproof.faults.campaign import Campaign, Variant
from tinyproof.faults.channels import channel_faults
from tinyproof.faults.editing import edit_source, one_form
from tinyproof.faults.equivalence import Equivalence
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.kinds import KINDS
from tinyproof.faults.mutants import Mutant, mutants, roundings
from tinyproof.faults.native.engine import ByteChange, packed
from tinyproof.faults.native.source import ENGINE, Region
from tinyproof.faults.roles import blocks_of, role_of
from tinyproof.faults.same_operations import SameOperations
from tinyproof.faults.unknowns import Unknowns

BOARD = find_board("qemu-cortex-m55")
DENSE = "kernels_mve/kernels/fully_connected_mve.h"
CONV = convolution.Layer((1, 4, 4, 20), units=6, y=(0.05, 5))
DEPTHWISE = convolution.Layer((1, 4, 4, 18), units=18, multiplier=1, y=(0.02, 5))
LEFT = {"y": (0.0003, 5)}
LAYERS = {
    "conv_mve_s8": convolution.build(CONV),
    "conv_left_mve_s8": convolution.build(replace(CONV, **LEFT)),  # type: ignore[arg-type]
    "depthwise_mve_s8": convolution.build(DEPTHWISE),
    "depthwise_left_mve_s8": convolution.build(replace(DEPTHWISE, **LEFT)),  # type: ignore[arg-type]
    "fully_connected_mve_s8": fully_connected.build(fully_connected.Layer(36, 6)),
    "fully_connected_left_mve_s8": fully_connected.build(
        replace(fully_connected.Layer(36, 6), **LEFT)  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("kernel", LAYERS)
def test_numbers_are_of_the_kinds_that_they_are_said_to_be(kernel: str) -> None:
    """TFLite's multipliers are 2^30 at least, and shifts few."""
    form = only_op(LAYERS[kernel]).mve
    assert form
    assert form.kernel == kernel
    numbers: dict[str, list[int]] = {}
    for table in form.constants:
        region = Region(0, f"op0_{table.suffix}", table.element_bytes, packed(table.values, table.ctype))
        kinds = [role_of(region, place, kernel, 0, blocks_of(form)) for place in range(len(table.values))]
        for kind in set(kinds) - {"weights"}:
            chosen = [value for value, own in zip(table.values, kinds, strict=True) if own == kind]
            content = packed(chosen, table.ctype)
            numbers[kind] = [
                int.from_bytes(content[at : at + 4], "little", signed=True) for at in range(0, len(content), 4)
            ]
        if table.suffix == "weights":
            assert set(kinds) == {"weights"}
    assert set(numbers) == {"biases", "multipliers", "shifts"}
    assert len(numbers["biases"]) == len(numbers["multipliers"])
    assert min(numbers["multipliers"]) >= 2**30
    assert all(abs(shift) < 32 for shift in numbers["shifts"])
    assert max(map(abs, numbers["biases"])) > 31


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("net")
    return Campaign(compiled(folder / "net", steep_classifier()), BOARD, folder / "native", 1)


def fault_at(campaign: Campaign, name: str, place: int, content: bytes) -> EngineFault:
    number = [region.name for region in campaign.engine.regions].index(name)
    return EngineFault("weights", 0, "", "", (ByteChange(number, place, content),))


def content_of(campaign: Campaign, name: str) -> bytes:
    return next(region.content for region in campaign.engine.regions if region.name == name)


def test_a_fault_is_written_into_the_form_of_the_board_alone(campaign: Campaign) -> None:
    text = (campaign.build_dir / "model_compiled.c").read_text(encoding="utf-8")
    assert len(one_form(text, mve=True)) == len(one_form(text, mve=False)) == len(text)
    regions = campaign.engine.regions
    numbers = NumberFaults(campaign.compiled.program, regions, mve=True)
    assert set(numbers.places) <= set(KINDS)
    for kind in ("weights", "biases", "multipliers", "shifts", "clamps"):
        for fault in numbers.sample(kind, 4, random.Random(1)):
            edited = edit_source(text, regions, fault, mve=True)
            assert edited is not None, str(fault)
            assert edited != text
            if campaign.engine.has_vectors(fault.operator or 0):
                assert one_form(edited, mve=False).split() == one_form(text, mve=False).split(), str(fault)


def test_swapped_channels_show(campaign: Campaign) -> None:
    faults = channel_faults(campaign.compiled.program, campaign.engine.regions, 12, random.Random(2), mve=True)
    assert len(faults) == 12
    planted = campaign.run(faults, [], lambda *_: None)
    assert sum(one.seen.by_output is not None for one in planted) >= 10


def test_portable_kernels_say_nothing_of_other_numbers(campaign: Campaign, tmp_path: Path) -> None:
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path)
    clamp = content_of(campaign, "op0.clamp_max")  # which both have
    assert equivalence.shown(fault_at(campaign, "op0.clamp_max", 0, clamp)) == ""
    first = content_of(campaign, "op0_fours")[:1]
    assert equivalence.shown(fault_at(campaign, "op0_fours", 0, first)) == ""
    assert equivalence.shown(fault_at(campaign, "op0_fours", 0, bytes([first[0] ^ 1]))) == ""


def test_what_no_instruction_reads_is_no_fault_and_all_else_is(campaign: Campaign, tmp_path: Path) -> None:
    unit = campaign.compiled
    unknowns = Unknowns(unit.program, unit.plan, campaign.engine.steps, campaign.engine.tables)
    same = SameOperations(campaign.engine, unknowns, tmp_path)
    table, last = content_of(campaign, "op0_fours"), len(content_of(campaign, "op0_fours")) - 16  # four shifts
    faults = {
        "the same": fault_at(campaign, "op0_fours", 16, table[16:17]),
        "a weight": fault_at(campaign, "op0_fours", 16, bytes([table[16] ^ 1])),
        "a bias": fault_at(campaign, "op0_fours", 1, bytes([table[1] ^ 1])),
        "a multiplier": fault_at(campaign, "op0_fours", last - 16, bytes([table[last - 16] ^ 1])),
        "a shift": fault_at(campaign, "op0_fours", last, bytes([table[last] ^ 1])),
        "a shift's upper byte": fault_at(campaign, "op0_fours", last + 1, bytes([table[last + 1] ^ 1])),
        "units": fault_at(campaign, "op0.units", 0, bytes([21])),
    }
    assert {name for name, fault in faults.items() if same.of_numbers(fault)} == {"the same", "a shift's upper byte"}


def macro_lines(name: str) -> set[int]:
    lines = (ENGINE / DENSE).read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"#define {name} "))
    last = next(number for number in range(first, len(lines)) if not lines[number].endswith("\\"))
    return set(range(first + 1, last + 2))


def test_kernels_are_changed_where_their_assembly_stands(campaign: Campaign) -> None:
    lines = campaign.engine.executed_lines(campaign.folder / "lines")
    (found,) = mutants([DENSE], lines)
    changed = {one.line for one in found}
    assert changed & macro_lines("FULLY_CONNECTED_MVE_RIGHT")
    assert not changed & macro_lines("FULLY_CONNECTED_MVE_LEFT"), "this model does not run it"
    wrong = [one for one in found if one.old.startswith(("vmax", "dlstp", "vctp")) or (one.old, one.new) == ("4", "5")]
    assert {one.new for one in wrong} == {"vmin.s32", "dlstp.32", "vctp.8", "5"}
    unit = campaign.compiled
    variants = [
        Variant(EngineFault("kernels", None, "", str(one)), unit.program, unit.plan, unit.unit, mutant=one)
        for one in wrong
    ]
    planted = campaign.run([], variants, lambda *_: None)
    assert all(one.seen.found for one in planted if "vctp" not in one.fault.place)
    assert len(planted) == len(wrong)


def test_what_no_assembler_takes_is_no_fault(campaign: Campaign) -> None:
    text = (ENGINE / DENSE).read_text(encoding="utf-8")
    load = Mutant(DENSE, text.index("#16", text.index("vldrw")), 1, "#16", "#17")
    unit = campaign.compiled
    variant = Variant(EngineFault("kernels", None, "", ""), unit.program, unit.plan, unit.unit, mutant=load)
    assert campaign.run([], [variant], lambda *_: None) == []


def test_its_kernels_round_by_assembly_that_is_found() -> None:
    found = roundings(["kernels_mve/kernels/mve.h"])
    assert {one.why for one in found} == {"ties upward instead of away from zero"}
    assert len(found) == 2


def rows_of(tflite: bytes) -> tuple[tuple[tuple[int, ...], ...], Scaling]:
    op = only_op(tflite)
    assert isinstance(op, FullyConnected)
    return tuple(op.rows), op.scaling


def tie() -> Mutant:
    (found,) = (one for one in roundings(["kernels_mve/kernels/mve.h"]) if "vqdmlah" in one.old)
    return found


@pytest.mark.nightly
def test_ties_that_no_sum_of_a_layer_meets_are_equivalent(campaign: Campaign, tmp_path: Path) -> None:
    # The first layer is clamped where ties differ, the second one is not.
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path / "forms")
    engine = tmp_path / "engine"
    shutil.copytree(ENGINE, engine)
    assert all(campaign.engine.has_vectors(campaign.engine.steps[place]) for place in (0, 1))
    shown = [equivalence.of_kernel(tie(), places, engine) for places in ([0], [1], [0, 1])]
    assert "sums that channels can have" in shown[0]
    assert shown[1:] == ["", ""]


@pytest.mark.nightly
def test_ties_show_that_the_portable_kernels_never_meet(tmp_path: Path) -> None:
    # One rounding makes the right byte of each of its sums, and is not changed with the two of the board's kernel.
    layer = fully_connected.Layer(64, 8, activation=2, y=(0.018, 10), types=("int8", "int4", "int32"), seed=392)
    assert None not in one_roundings(*rows_of(fully_connected.build(layer)))
    campaign = Campaign(compiled(tmp_path / "net", fully_connected.build(layer)), BOARD, tmp_path / "native", 1)
    assert campaign.engine.has_vectors(0)
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path / "forms")
    shutil.copytree(ENGINE, tmp_path / "engine")
    assert equivalence.of_kernel(tie(), [0], tmp_path / "engine") == ""


@pytest.mark.nightly
def test_the_verb_takes_the_board(
    tmp_path: Path, lesson_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    shutil.copytree(lesson_models["sine"], tmp_path / "sine")
    words = ["--kinds", "weights,multipliers,clamps,channels,kernels,rounding", "--count", "30", "--on-board", "0"]
    done = CliRunner().invoke(main, ["faults", "--model", "sine", "--board", BOARD.name, *words, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["missed"] == 0
    assert document["found"] + document["equivalent"] == document["planted"] >= 25
    assert document["by_answers"] > 10
