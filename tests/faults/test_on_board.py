# SPDX-License-Identifier: Apache-2.0
"""Faults in the image on the simulated board end as they do on this machine, and whole firmwares are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinyproof.cli.main import main
from tinyproof.core import paths


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
