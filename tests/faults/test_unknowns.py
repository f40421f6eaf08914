# SPDX-License-Identifier: Apache-2.0
"""The board's kernels on unknown bytes: a change that leaves every operation as it was is no fault, and no other is."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support.classifier import steep_classifier
from support.compiled import compiled
from support.tflite_writer import Model

from tinyproof.core.board_spec import find_board
from tinyproof.faults.campaign import Campaign
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.judging import DIGESTS, by_questions
from tinyproof.faults.mutants import Mutant
from tinyproof.faults.native.engine import ByteChange
from tinyproof.faults.native.source import ENGINE
from tinyproof.faults.same_operations import SameOperations
from tinyproof.faults.unknowns import Unknowns

BOARD = find_board("qemu-cortex-m4")
SOFTMAX = 2  # the step whose path depends on its input


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    folder = tmp_path_factory.mktemp("net")
    return Campaign(compiled(folder / "net", steep_classifier()), BOARD, folder / "native", 1)


@pytest.fixture(scope="module")
def same(campaign: Campaign, tmp_path_factory: pytest.TempPathFactory) -> SameOperations:
    unit = campaign.compiled
    unknowns = Unknowns(unit.program, unit.plan, campaign.engine.steps, campaign.engine.tables)
    return SameOperations(campaign.engine, unknowns, tmp_path_factory.mktemp("same"))


def mutant(file: str, old: str, new: str, line: str) -> Mutant:
    text = (ENGINE / file).read_text()
    at = text.index(line) + line.index(old)
    return Mutant(file, at, 1, old, new)


@pytest.mark.nightly
def test_a_number_that_nothing_reads_is_no_fault(campaign: Campaign, same: SameOperations) -> None:
    names = [region.name for region in campaign.engine.regions]
    weights = names.index("op0_weights")
    content = campaign.engine.regions[weights].content
    changes = {
        "the same": ByteChange(weights, 0, content[:1]),
        "another": ByteChange(weights, 0, bytes([content[0] ^ 1])),
        "more": ByteChange(names.index("op0.units"), 0, (21).to_bytes(4, "little")),
    }
    seen = {name: same.of_numbers(EngineFault("weights", 0, "", "", (one,))) for name, one in changes.items()}
    assert seen == {"the same": True, "another": False, "more": False}


@pytest.mark.nightly
def test_a_kernel_that_does_the_same_operations_is_no_fault(
    campaign: Campaign, same: SameOperations, tmp_path: Path
) -> None:
    # What chooses a path by parameters alone, and what is behind a path that this model does not take.
    clamp = mutant("kernels_dsp/kernels/clamp_bytes.h", "127", "126", "max >= 127")
    assert same.different_steps(clamp, tmp_path) == []
    sums = mutant("kernels/softmax.h", "+=", "-=", "row.sum += ")
    assert same.different_steps(sums, tmp_path) == [SOFTMAX]
    product = mutant("kernels/requantize.h", "+", "-", "+ a;")
    assert 1 in (same.different_steps(product, tmp_path) or ())


def test_a_layer_alone_shows_what_no_vector_brings_to_it(tmp_path: Path) -> None:
    model, source = Model(), random.Random(1)
    x, hidden, y = model.input((1, 4), 0.05, 0), model.tensor((1, 8), 8.0, -128), model.tensor((1, 4), 30.0, 0)
    model.add_dense(x, hidden, [[source.choice((-127, 127)) for _ in range(4)] for _ in range(8)], 0.02, [0] * 8,
                    fusedActivationFunction=1)  # fmt: skip
    model.add_dense(hidden, y, [[source.randint(1, 127) for _ in range(8)] for _ in range(4)], 0.02, [0] * 4)
    campaign = Campaign(compiled(tmp_path / "net", model.build(y)), BOARD, tmp_path / "native", 1)
    clamp = next(n for n, region in enumerate(campaign.engine.regions) if region.name == "op1.clamp_max")
    fault = EngineFault("clamps", 1, "", "", (ByteChange(clamp, 0, (126).to_bytes(4, "little")),))
    (planted,) = campaign.run([fault], [], lambda *_: None)
    assert (planted.seen.by_output, planted.seen.by_digest, planted.seen.alone_step) == (None, None, 1)
    verdict = by_questions(planted, campaign.step_names)
    assert verdict is not None
    assert (verdict.how, "alone" in verdict.why) == (DIGESTS, True)
