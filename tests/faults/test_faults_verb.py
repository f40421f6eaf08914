# SPDX-License-Identifier: Apache-2.0
"""`tinyproof faults`: a fixed sample on a small model, what it says and leaves behind, and its exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.report.build_data import read_report_data
from tinyproof.report.page import coverage

SAMPLE = 60
COUNTS = ("planted", "found", "by_answers", "by_stopping", "by_digests", "by_image", "equivalent", "missed")
# Shifts by 32 bits and more are the board's to judge, and none is asked here.
KINDS = "weights,biases,multipliers,zero-points,clamps,channels,rounding,kernels,removed"


@pytest.fixture
def build(tmp_path: Path, lesson_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "sine"
    shutil.copytree(lesson_models["sine"], folder)
    return folder


def test_a_fixed_sample_is_found_or_equivalent(build: Path) -> None:
    words = ["faults", "--model", "sine", "--count", str(SAMPLE), "--kinds", KINDS, "--on-board", "0", "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["missed"] == 0
    assert SAMPLE - 5 <= document["planted"] <= SAMPLE
    assert document["by_answers"] > SAMPLE // 2, "the sample asks for little"
    assert document["found"] + document["equivalent"] == document["planted"]
    for key in COUNTS:
        assert sum(row[key] for row in document["rows"]) == document[key]
    assert json.loads((build / "faults.json").read_text()) == document
    assert document["command"].startswith("./tinyproof faults --model sine --seed 1")


@pytest.mark.nightly
def test_another_seed_plants_others_and_the_same_one_the_same(build: Path) -> None:
    def places(seed: int) -> list[str]:
        words = ["--seed", str(seed), "--count", "8", "--kinds", "multipliers", "--on-board", "0", "--json"]
        document = json.loads(CliRunner().invoke(main, ["faults", "--model", "sine", *words]).stdout)
        return sorted(document["equivalent_places"])

    assert places(3) == places(3)
    assert places(3) != places(4)


def test_a_kind_that_is_none_is_named(build: Path) -> None:
    done = CliRunner().invoke(main, ["faults", "--model", "sine", "--kinds", "weights,typos"])
    assert done.exit_code == 2
    assert "'typos' is no kind of fault; there are weights," in done.output


def test_without_firmware_it_says_how_to_make_it(build: Path) -> None:
    done = CliRunner().invoke(main, ["faults", "--model", "sine"])
    assert done.exit_code == 2
    assert "firmware.elf is missing; run" in done.output
    assert "tinyproof build --board qemu-cortex-m4" in done.output


def test_boards_that_are_none_of_the_simulated_are_refused(build: Path) -> None:
    for board in ("reference", "nano33ble"):
        assert CliRunner().invoke(main, ["faults", "--model", "sine", "--board", board]).exit_code == 2


def test_without_gcc_it_names_the_package(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = CliRunner().invoke(main, ["faults", "--model", "sine", "--on-board", "0"])
    assert done.exit_code == 3
    assert "sudo apt-get install gcc" in done.output


def test_the_report_has_the_score_of_this_export_alone(build: Path) -> None:
    CliRunner().invoke(main, ["faults", "--model", "sine", "--count", "8", "--kinds", "weights", "--on-board", "0"])
    data = read_report_data(build)
    assert data.faults["planted"] == 8
    assert coverage(data) is not None
    page = CliRunner().invoke(main, ["report", "--model", "sine"])
    assert page.exit_code == 0, page.output
    html = (build / "report.html").read_text()
    assert 'id="faults"' in html
    assert data.faults["command"] in html
    document = data.faults | {"model_id": "0" * 16}
    (build / "faults.json").write_text(json.dumps(document))
    assert read_report_data(build).faults == {}
