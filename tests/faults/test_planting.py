# SPDX-License-Identifier: Apache-2.0
"""What is planted: shares of the kinds, what a number is for, changed kernels, and generated C with a fault in it."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.classifier import steep_classifier
from support.compiled import compiled
from support.tflite_writer import Model

from tinyproof.core.board_spec import find_board
from tinyproof.export.memory_checker import UnsoundPlanError, check_plan
from tinyproof.faults.arena import overlapping_plans
from tinyproof.faults.bits import NumberFaults
from tinyproof.faults.campaign import Campaign
from tinyproof.faults.channels import channel_faults, wrongly_removed
from tinyproof.faults.editing import edit_source
from tinyproof.faults.equivalence import ROUNDING, Equivalence
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.judging import ANSWERS, STOPPED, by_questions
from tinyproof.faults.kinds import KINDS, quotas
from tinyproof.faults.mutants import TIES, Mutant, mutants, roundings
from tinyproof.faults.native.engine import ByteChange
from tinyproof.faults.native.source import ENGINE
from tinyproof.faults.unknowns import NOTHING, Unknowns

BOARD = find_board("qemu-cortex-m4")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("net")
    return Campaign(compiled(folder / "net", steep_classifier()), BOARD, folder / "native", 1)


def test_shares_add_up_and_what_a_kind_has_not_the_others_take() -> None:
    room = dict.fromkeys(KINDS, 10_000)
    assert sum(quotas(1000, room).values()) == 1000
    scarce = quotas(1000, room | {"weights": 3})
    assert scarce["weights"] == 3
    assert sum(scarce.values()) == 1000
    assert quotas(1000, {"weights": 5, "biases": 2}) == {"weights": 5, "biases": 2}


def number_of(campaign: Campaign, name: str) -> int:
    return [region.name for region in campaign.engine.regions].index(name)


def test_every_number_of_the_engine_has_a_kind(campaign: Campaign) -> None:
    numbers = NumberFaults(campaign.compiled.program, campaign.engine.regions)
    elements = sum(len(region.content) // region.element_bytes for region in campaign.engine.regions)
    assert sum(len(places) for layers in numbers.places.values() for places in layers.values()) == elements
    assert set(numbers.places) <= set(KINDS)
    assert {"weights", "biases", "multipliers", "shifts", "zero points", "clamps", "bounds"} <= set(numbers.places)
    sample = numbers.sample("biases", 64, random.Random(1))
    assert len({str(fault) for fault in sample}) == 64
    assert len({fault.operator for fault in sample}) == len(numbers.places["biases"]), "layers take turns"


def fault_in_weights(campaign: Campaign, content: Callable[[bytes], bytes]) -> EngineFault:
    place = next(n for n, region in enumerate(campaign.engine.regions) if region.name.startswith("op0_weights"))
    return EngineFault("weights", 0, "", "", (ByteChange(place, 0, content(campaign.engine.regions[place].content)),))


def test_a_fault_of_each_end_is_told_apart(campaign: Campaign) -> None:
    units = number_of(campaign, "op0.units")
    endless = EngineFault("bounds", 0, "", "", (ByteChange(units, 0, (0x40000000).to_bytes(4, "little")),))
    zeros = fault_in_weights(campaign, lambda table: bytes(len(table)))
    nothing = fault_in_weights(campaign, lambda table: table[:1])
    planted = campaign.run([endless, zeros, nothing], [], lambda *_: None)
    verdicts = [by_questions(one, campaign.step_names) for one in planted]
    assert [verdict.how if verdict else "" for verdict in verdicts] == [STOPPED, ANSWERS, ""]


def test_a_softmax_that_reads_beyond_its_table_or_not_to_its_end_shows(campaign: Campaign) -> None:
    count = number_of(campaign, "op2.exponentials_count")
    (right,) = memoryview(campaign.engine.regions[count].content).cast("i")
    one_off = [
        EngineFault("bounds", 2, "", "", (ByteChange(count, 0, (right + off).to_bytes(4, "little")),))
        for off in (-1, 1)
    ]
    planted = campaign.run(one_off, [], lambda *_: None)
    assert all(by_questions(one, campaign.step_names) for one in planted)


@pytest.mark.nightly
def test_only_what_changes_no_sum_is_equivalent(campaign: Campaign, tmp_path: Path) -> None:
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path)
    assert "same sums" in equivalence.shown(fault_in_weights(campaign, lambda table: table[:1]))
    assert equivalence.shown(fault_in_weights(campaign, lambda table: bytes([table[0] ^ 1]))) == ""


@pytest.mark.nightly
def test_a_multiplier_that_rounds_no_sum_otherwise_is_equivalent(campaign: Campaign, tmp_path: Path) -> None:
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path)
    table = next(n for n, one in enumerate(campaign.engine.regions) if re.fullmatch("op1_multipliers", one.name))
    (old,) = memoryview(campaign.engine.regions[table].content[:4]).cast("I")
    shown = {
        bit: equivalence.shown(
            EngineFault("multipliers", 1, "", "", (ByteChange(table, 0, (old ^ 1 << bit).to_bytes(4, "little")),))
        )
        for bit in (0, 20)
    }
    assert "sums that channels can have" in shown[0]
    assert shown[20] == ""


@pytest.mark.nightly
def test_ties_that_no_sum_of_a_layer_meets_are_equivalent(campaign: Campaign, tmp_path: Path) -> None:
    # The first layer is clamped where ties differ, the second one is not.
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path / "forms")
    (tie,) = (one for one in roundings(["kernels_dsp/kernels/dsp.h"]) if one.why == TIES and "asr" in one.old)
    engine = tmp_path / "engine"
    shutil.copytree(ENGINE, engine)
    shown = [equivalence.of_kernel(tie, [place], engine) for place in (0, 1)]
    assert "sums that channels can have" in shown[0]
    assert shown[1] == ""
    assert all((engine / file).read_bytes() == (ENGINE / file).read_bytes() for file in ROUNDING)


@pytest.mark.nightly
def test_ties_that_no_share_of_a_softmax_meets_are_equivalent(campaign: Campaign, tmp_path: Path) -> None:
    # A share is never negative.
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path / "forms")
    engine = tmp_path / "engine"
    shutil.copytree(ENGINE, engine)
    changes = {one.why: equivalence.of_kernel(one, [2], engine) for one in roundings(["kernels/requantize.h"])}
    assert changes[TIES].startswith("all there are: ")
    assert changes["the quotient cut off instead of rounded"] == ""
    (tie,) = (one for one in roundings(["kernels/requantize.h"]) if one.why == TIES)
    assert equivalence.of_kernel(replace(tie, file="kernels_dsp/kernels/dsp.h"), [2], engine) == ""


def test_swapped_channels_show_and_are_what_they_say(campaign: Campaign) -> None:
    faults = channel_faults(campaign.compiled.program, campaign.engine.regions, 12, random.Random(2))
    assert len(faults) == 12
    assert all(fault.changes for fault in faults)
    planted = campaign.run(faults, [], lambda *_: None)
    assert sum(one.seen.by_output is not None for one in planted) >= 10


def test_a_channel_that_is_removed_wrongly_is_one_less(campaign: Campaign) -> None:
    program = campaign.compiled.program
    (_, other), *_ = wrongly_removed(program.graph, program, 3, random.Random(1))
    assert sum(op.macs for op in other.ops) < sum(op.macs for op in program.ops)


def test_plans_that_are_planted_are_unsound(campaign: Campaign) -> None:
    program, plan = campaign.compiled.program, campaign.compiled.plan
    check_plan(program, plan, any_form=True)
    for _, other in overlapping_plans(program, plan, 3, random.Random(1)):
        with pytest.raises(UnsoundPlanError):
            check_plan(program, other)


def test_a_mutant_changes_one_place_and_heals(tmp_path: Path) -> None:
    file = "kernels/requantize.h"
    lines = set(enumerate((ENGINE / file).read_text().splitlines(), 1))
    (found,) = mutants([file], {(file, number) for number, _ in lines})
    assert len(found) > 20
    (tmp_path / "kernels").mkdir()
    for mutant in found:
        mutant.plant(tmp_path)
        right, wrong = (ENGINE / file).read_text().splitlines(), (tmp_path / file).read_text().splitlines()
        assert [n for n, (a, b) in enumerate(zip(right, wrong, strict=True), 1) if a != b] == [mutant.line]
        assert not right[mutant.line - 1].lstrip().startswith(("*", "/*", "#")), "comments are no code"
        mutant.heal(tmp_path)
        assert (tmp_path / file).read_bytes() == (ENGINE / file).read_bytes()
    assert mutants([file], set()) == [[]]


def test_the_dsp_kernels_round_by_assembly_that_is_found() -> None:
    found = roundings(["kernels_dsp/kernels/dsp.h"])
    assert {one.why for one in found} == {"ties upward instead of away from zero"}
    assert len(found) == 2


def wrong_words(text: str, edited: str) -> list[str]:
    """Numbers of `edited` that are others in `text`; where a table's lines break does not matter."""
    right, wrong = (re.findall(r"-?\w+", one) for one in (text, edited))
    return [b for a, b in zip(right, wrong, strict=True) if a != b]


def test_c_with_a_fault_compiles_to_the_changed_number(campaign: Campaign) -> None:
    text = (campaign.build_dir / "model_compiled.c").read_text()
    regions = campaign.engine.regions
    for kind in ("biases", "clamps", "bounds"):
        numbers = NumberFaults(campaign.compiled.program, regions)
        for fault in numbers.sample(kind, 6, random.Random(1)):
            edited = edit_source(text, regions, fault)
            assert edited is not None, str(fault)
            (change,) = fault.changes
            value = str(int.from_bytes(change.content, "little", signed=True))
            assert wrong_words(text, edited) == [value], str(fault)


def test_a_mutant_that_no_compiler_takes_is_no_fault(campaign: Campaign) -> None:
    from tinyproof.faults.campaign import Variant

    text = (ENGINE / "kernels/pairs.h").read_text()
    at = text.index("struct pair_sums")
    broken = Mutant("kernels/pairs.h", at, 1, "struct", "strict")
    unit = campaign.compiled
    variant = Variant(EngineFault("kernels", None, "", ""), unit.program, unit.plan, unit.unit, mutant=broken)
    assert campaign.run([], [variant], lambda *_: None) == []


@pytest.mark.nightly
def test_an_engine_that_needs_the_c_library_runs_here_too(tmp_path: Path) -> None:
    # The system's headers declare some functions with an assembler's name, which is no instruction.
    model = Model()
    x, y = model.input((1, 8), 0.05, 0), model.tensor((1, 4), 0.05, 0)
    begin, size = (model.tensor((2,), 1.0, 0, numbers, "int32") for numbers in ([0, 2], [1, 4]))
    model.add("SLICE", [x, begin, size], [y])
    z = model.tensor((1, 2), 0.1, 0)
    model.add_dense(y, z, [[1, 2, 3, 4], [5, 6, 7, 8]], 0.02, [0, 0])
    campaign = Campaign(compiled(tmp_path / "net", model.build(z)), BOARD, tmp_path / "native", 1)
    assert "#include" in (campaign.build_dir / "model_compiled.c").read_text()
    at = next(n for n, region in enumerate(campaign.engine.regions) if region.name.endswith("_weights"))
    changed = EngineFault("weights", 1, "", "", (ByteChange(at, 0, b"\x40"),))
    (planted,) = campaign.run([changed], [], lambda *_: None)
    verdict = by_questions(planted, campaign.step_names)
    assert verdict is not None
    assert verdict.how == ANSWERS
    unit = campaign.compiled
    unknowns = Unknowns(unit.program, unit.plan, campaign.engine.steps, campaign.engine.tables)
    assert unknowns.compile(campaign.engine.text(tmp_path), tmp_path / "unknown")
    assert not any(digest.startswith(NOTHING) for digest in unknowns.run(tmp_path / "unknown", range(2)))
