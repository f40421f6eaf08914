# SPDX-License-Identifier: Apache-2.0
"""What is shown of a build for all inputs, and that a wrong number anywhere in its C undoes it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from support.compiled import compiled
from support.native import ENGINE, changed_engine
from support.op_rows.pooling import pool
from support.tflite_writer import dense_network
from support.two_layers import tiny_build

from tinyproof.core.model_file import find_model_file
from tinyproof.export.calibration import Calibration
from tinyproof.export.import_model import import_model
from tinyproof.prove import memory, softmax
from tinyproof.prove.proof import ModelProof, prove
from tinyproof.prove.verdicts import NONE, PROVEN, REFUTED, UNPROVEN
from tinyproof.train.tinyperf import make_tinyperf

SOURCE = "model_compiled.c"
LINEAR = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")


def copied(build: Path, tmp_path: Path) -> Path:
    folder = tmp_path / build.name
    shutil.copytree(build, folder)
    return folder


def bent(folder: Path, *changes: tuple[str, str]) -> ModelProof:
    """The proof of the build whose C has something else where the first words of each change are."""
    text = (folder / SOURCE).read_text()
    for pattern, words in changes:
        text, count = re.subn(pattern, words, text, count=1)
        assert count == 1, f"{pattern} is not in the generated C"
    (folder / SOURCE).write_text(text)
    return prove(folder, eva=False)


def statuses(proof: ModelProof) -> list[tuple[str, str, str, str]]:
    return [(op.linear.status, op.requantization.status, op.rest.status, op.memory.status) for op in proof.operators]


def plain(text: str, name: str) -> list[int]:
    """A table of the C for cores without MVE: the last of that name."""
    found = re.findall(rf"\b{name}\[\d+\][^=]*= \{{([^}}]*)\}}", text)
    return [int(number) for number in found[-1].split(",")]


def test_every_operator_of_a_classifier_is_shown_to_be_right(whole_build: Path, tmp_path: Path) -> None:
    proof = prove(copied(whole_build, tmp_path), eva=False)
    for op in proof.operators:
        linear = op.name in LINEAR
        expected = (PROVEN, PROVEN, NONE, PROVEN) if linear else (NONE, NONE, PROVEN, PROVEN)
        seen = (op.linear.status, op.requantization.status, op.rest.status, op.memory.status)
        assert seen == expected, (op.name, op.verdicts)
    assert proof.holds
    assert len(proof.operators) == 7
    assert proof.operators[5].rescalings, "no sum was swept"
    assert "softmax_sum" in " ".join(proof.trusted)


def test_a_wrong_number_in_each_operator_is_found_in_that_operator(whole_build: Path, tmp_path: Path) -> None:
    folder = copied(whole_build, tmp_path)
    text = (folder / SOURCE).read_text()
    exponentials = plain(text, "op6_exponentials")
    multipliers = plain(text, "op5_multipliers")
    proof = bent(
        folder,
        (r"(#else\nstatic KERNEL_TABLE int8_t op0_weights\[\d+\][^=]*= \{\n +)(-?\d+)", r"\g<1>\g<2>1"),
        (r"(struct conv_planes_s8 op1 = \{\n    .window = \{1, 4, 4, 8, 4, 4, 3, 3, 1, 1, 1, 1, )1", r"\g<1>0"),
        (r"(struct conv_\w+ op2 = \{(?:(?!struct)[^;])*?\.rounding = )-13", r"\g<1>-11"),
        (r"(struct add_s8 op3 = \{[^;]*\.multiplier2 = )(-?\d+)", r"\g<1>1073741824"),
        (r"(op4_reciprocals\[1\] = \{\n? *)(\d+)", r"\g<1>2147400000"),
        (rf"(op5_multipliers\[\d+\] = \{{\n? *){multipliers[0]}", rf"\g<1>{multipliers[0] + 200_000_000}"),
        (rf"(op6_exponentials\[[^{{]*\{{[^}}]*\b){exponentials[9]}\b", rf"\g<1>{exponentials[9] + 1}"),
    )
    rows = statuses(proof)
    assert [row[0] for row in rows[:2]] == [REFUTED, REFUTED]
    assert [row[1] for row in (rows[2], rows[5])] == [REFUTED, REFUTED]
    assert [row[2] for row in (rows[3], rows[4], rows[6])] == [REFUTED] * 3
    assert not proof.holds
    assert len(proof.refuted) == 7


@pytest.mark.nightly
def test_places_and_clamps_of_the_calls_are_judged_too(tmp_path: Path) -> None:
    folder = tiny_build(tmp_path)
    proof = bent(folder, (r"(struct fully_connected_s8 op0 = \{[^;]*\.clamp_max = )127", r"\g<1>-100"))
    assert statuses(proof)[0][:2] == (PROVEN, REFUTED)
    assert [op.requantization.status for op in proof.operators] == [REFUTED, PROVEN]

    shutil.rmtree(folder)
    folder = tiny_build(tmp_path)
    proof = bent(folder, (r"(struct fully_connected_s8 op0 = \{[^;]*\.units = )12", r"\g<1>13"))
    assert statuses(proof)[0][3] == REFUTED, "a unit too many is written beside the output"


@pytest.mark.parametrize(
    ("header", "old", "new", "column"),
    [
        ("requantize.h", "const int32_t t = a - (a < 0 ? 1 : 0);", "const int32_t t = a;", 1),
        ("fully_connected_s8.h", "a += w[0] * x[0];", "a += w[0] * (x[0] | 1);", 0),
        (
            "fully_connected_s8.h",
            "for (; unit < units; unit++) {",
            "for (; unit < units - (input[0] > 5); unit++) {",
            0,
        ),
    ],
)
@pytest.mark.nightly
def test_a_changed_kernel_is_no_longer_shown_to_be_right(
    tmp_path: Path, header: str, old: str, new: str, column: int
) -> None:
    engine = changed_engine(tmp_path, f"kernels/{header}", old, new)
    proof = prove(tiny_build(tmp_path), eva=False, engine=engine)
    assert not proof.holds
    assert any(row[column] in (REFUTED, UNPROVEN) for row in statuses(proof))


@pytest.mark.nightly
def test_layers_with_dead_units_left_shifts_and_several_rows_are_shown_to_be_right(tmp_path: Path) -> None:
    for seed in (3, 8):
        proof = prove(compiled(tmp_path / str(seed), dense_network(seed, [5, 9, 33, 2], rows=2)), eva=False)
        assert proof.holds, [op.verdicts for op in proof.operators]


@pytest.mark.nightly
def test_a_keyword_net_is_shown_to_be_right_with_the_portable_kernels(tmp_path: Path) -> None:
    model, samples = make_tinyperf("kws", tmp_path)
    source = find_model_file(str(model))
    assert source is not None
    import_model(source, tmp_path / "kws", Calibration(samples))
    proof = prove(tmp_path / "kws", eva=False)
    assert proof.holds, [op.verdicts for op in proof.operators if not op.holds]
    assert (len(proof.operators), proof.boards) == (12, [])


@pytest.mark.nightly
def test_what_has_no_argument_is_not_proven(tmp_path: Path) -> None:
    proof = prove(compiled(tmp_path / "net", pool("MAX_POOL_2D", (1, 4, 4, 2), (2, 2), (2, 2), 1)), eva=False)
    (op,) = proof.operators
    assert op.rest.status == op.memory.status == UNPROVEN
    assert not proof.holds
    assert not proof.refuted


@pytest.mark.nightly
def test_what_takes_too_long_under_the_sanitizers_is_not_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "TIMEOUT_S", 0)
    monkeypatch.setattr(softmax, "TIMEOUT_S", 0)
    proof = prove(compiled(tmp_path / "net", dense_network(3, [2, 2])), eva=False)
    (op,) = proof.operators
    assert (op.linear.status, op.memory.status) == (PROVEN, UNPROVEN)
    assert op.memory.why == "time: the run under the sanitizers takes more than 0 s"
    assert not proof.holds
    table = softmax.exponentials(1.0, 0.1)
    verdict = softmax.prove_memory_of_softmax(table, 3, ENGINE, memory.FLAGS)
    assert (verdict.status, verdict.why) == (UNPROVEN, "time: its sums under the sanitizers take more than 0 s")
