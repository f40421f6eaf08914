# SPDX-License-Identifier: Apache-2.0
"""Each page of docs/journeys is walked through: every command on it, in its order, in a folder of the reader's own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.own_project import git, start_project

from tinyproof.core.paths import ROOT

PAGES = sorted((ROOT / "docs/journeys").glob("*.md"))
COMMAND = "    tinyproof "
# Commands whose page says that they fail, and how.
FAILING = {"tinyproof train --learning-rate 0.5": 2}


def commands(page: Path) -> list[str]:
    lines = page.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.startswith(COMMAND)]


def prepare(folder: Path) -> None:
    """What the reader is told to have: a project, a model, points and labelled samples."""
    start_project(folder)
    (folder / "points.csv").write_text("x,y\n0,1\n1,3\n2,5\n4,9\n")
    (folder / "samples.csv").write_text("0.1;0,2;0,3;rest\n1,5;-0,2;0,7;move\n")
    np.savez(folder / "labelled.npz", x_q=np.arange(-60, 60, dtype=np.int8).reshape(40, 3), y=np.arange(40) % 2)
    for words in ("the model", "something else"):
        git(folder, "init", "-q")
        git(folder, "add", "model.tflite")
        git(folder, "commit", "-q", "--allow-empty", "-m", words)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    asked = commands(page)
    assert asked
    for command in asked:
        words = [sys.executable, "-P", "-m", *shlex.split(command, comments=True)]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == FAILING.get(command, 0), f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr


def test_there_are_pages() -> None:
    assert [page.stem for page in PAGES]
