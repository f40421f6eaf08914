# SPDX-License-Identifier: Apache-2.0
"""`tinyproof prove`: its answer, its exit codes, and what it says without its tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.frama_c import NEEDS_EVA
from support.two_layers import tiny_build

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.system_packages import System, missing_to_prove
from tinyproof.prove.coverage import covered_boards
from tinyproof.prove.eva import one_step


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tiny_build(tmp_path)


def test_without_frama_c_it_names_the_package(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = CliRunner().invoke(main, ["prove", "--model", "tiny"])
    assert done.exit_code == 3
    assert "sudo apt-get install frama-c-base" in done.output


def test_a_missing_build_is_the_users_to_mend(build: Path) -> None:
    assert CliRunner().invoke(main, ["prove", "--model", "nobody"]).exit_code == 2


def test_every_missing_tool_is_known() -> None:
    assert [part.what for part in missing_to_prove(System(which=lambda name: None))] == ["frama-c", "gcc", "g++"]
    assert missing_to_prove(System(which=lambda name: name)) == []


def test_boards_with_kernels_of_their_own_are_not_covered(build: Path, whole_build: Path) -> None:
    covered, others = covered_boards(build)
    assert "qemu-cortex-m4" in covered
    assert any("sim-uno" in line and "16 bits" in line for line in others)
    covered, others = covered_boards(whole_build)
    assert covered == []
    assert any("qemu-cortex-m4" in line and "kernels_dsp (" in line for line in others)


def test_eva_gets_one_operator_with_its_tables() -> None:
    parts = [
        f"static KERNEL_TABLE int8_t op{n}_weights[2] KERNEL_ALIGNED(4) = {{\n    1, 2\n}};\n"
        f"static const struct kernel op{n} = {{\n    .weights = op{n}_weights,\n}};\n"
        f"static void step{n}(int8_t *arena) {{\n    kernel(arena, &op{n});\n}}\n"
        for n in (1, 12)
    ]
    source = (
        "#include <stdint.h>\n" + "".join(parts) + "void (*const model_steps[3])(int8_t *arena) = {step1, step12};\n"
    )
    assert one_step(source, 1) == "#include <stdint.h>\n" + parts[0]


@pytest.mark.nightly
@NEEDS_EVA
def test_the_answer_for_programs_and_for_people(build: Path) -> None:
    done = CliRunner().invoke(main, ["prove", "--model", "tiny", "--json"])
    assert done.exit_code == 0, done.output
    (entry,) = json.loads(done.stdout)["models"]
    flags = ("memory_safe", "requantization_proven", "linear_proven", "all_inputs")
    assert [entry[flag] for flag in flags] == [True] * 4
    assert (entry["model"], entry["alarms"], len(entry["operators"])) == ("tiny", 0, 2)
    assert entry["trusted"]
    assert json.loads((build / "prove.json").read_text()) == entry

    done = CliRunner().invoke(main, ["prove", "--model", "tiny", "--board", "sim-uno"])
    assert done.exit_code == 1
    assert "sim-uno runs others: not proven" in done.output

    source = build / "model_compiled.c"
    source.write_text(source.read_text().replace(".zero_point = 5,", ".zero_point = 6,"))
    done = CliRunner().invoke(main, ["prove", "--model", "tiny"])
    assert done.exit_code == 1
    assert "become another byte than TFLite Micro's" in " ".join(done.output.split())
