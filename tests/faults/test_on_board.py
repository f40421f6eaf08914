# SPDX-License-Identifier: Apache-2.0
"""Faults in the image on the simulated board end as they do on this machine, and whole firmwares are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.compiled import compiled
from support.tflite_writer import Model

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.digests import build_trace
from tinyproof.fault_boards import undefined_on_board
from tinyproof.faults.campaign import Campaign
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.judging import ANSWERS, EQUIVALENT, UNDEFINED, judge_all
from tinyproof.faults.native.engine import ByteChange
from tinyproof.firmware.platformio_build import build


@pytest.mark.nightly
@pytest.mark.traces
def test_the_board_says_what_was_seen_here(
    tmp_path: Path, lesson_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.setattr(paths, "CURRENT_FILE", tmp_path / "current")
    shutil.copytree(lesson_models["wide"], tmp_path / "wide")
    assert CliRunner().invoke(main, ["build", "--model", "wide"]).exit_code == 0
    words = ["faults", "--model", "wide", "--count", "200", "--seed", "5", "--on-board", "12", "--json"]
    done = CliRunner().invoke(main, words)
    document = json.loads(done.stdout)
    assert document["on_board"] == {"asked": 12, "same": 12, "different": []}
    (firmware,) = (row for row in document["rows"] if row["kind"] == "firmware")
    assert (firmware["planted"], firmware["by_stopping"], firmware["missed"]) == (5, 5, 0)
    assert document["by_image"] > 0
    assert done.exit_code == (1 if document["missed"] else 0)


@pytest.mark.nightly
@pytest.mark.traces
def test_a_shift_by_more_bits_than_there_are_is_what_the_board_makes_of_every_pair(tmp_path: Path) -> None:
    model = Model()
    x, z = model.input((1, 8, 16, 16), 0.05, 3), model.input((1, 8, 16, 16), 0.04, -7)
    total, y = model.tensor((1, 8, 16, 16), 0.07, 11), model.tensor((1, 8, 16, 16), 0.09, 0)
    model.add("ADD", [x, z], [total], fusedActivationFunction=0)
    model.add("ADD", [total, z], [y], fusedActivationFunction=0)
    folder, board = compiled(tmp_path / "sums", model.build(y)), find_board("qemu-cortex-m4")
    build(board, folder)
    build_trace(board, folder)
    campaign = Campaign(folder, board, tmp_path / "native", 1)
    place = next(n for n, region in enumerate(campaign.engine.regions) if region.name == "op0.shift")
    shift = int.from_bytes(campaign.engine.regions[place].content, "little")
    faults = {}
    for bit in (0, 5, 9, 16):  # a register's lower byte is what shifts on Arm
        change = ByteChange(place, 0, (shift ^ 1 << bit).to_bytes(4, "little"))
        faults[bit] = EngineFault("shifts", 0, "", f"bit {bit}", (change,))
    planted = campaign.run(list(faults.values()), [], lambda *_: None)
    verdicts = judge_all(campaign, planted, None, lambda _: None)
    assert [verdict.why == UNDEFINED for verdict in verdicts] == [False, True, True, True]
    verdicts = undefined_on_board(board, folder, campaign, verdicts, CheckConfig())
    ends = [verdict.how for verdict in verdicts]
    assert ends == [ANSWERS, ANSWERS, EQUIVALENT, EQUIVALENT], [verdict.why for verdict in verdicts]
    assert "65,536 pairs" in verdicts[2].why
