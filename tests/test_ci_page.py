# SPDX-License-Identifier: Apache-2.0
"""What docs/journeys/ci.md gives beside its commands: the workflow parses and its proof runs, and so does the test."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support import effort
from support.own_project import start_project

from tinyproof.core.paths import ROOT

PAGE = (ROOT / "docs" / "journeys" / "ci.md").read_text(encoding="utf-8")
BOARD = "qemu-cortex-m4"
ACTION = re.compile(r"[\w-]+/[\w-]+@v\d+")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    start_project(tmp_path)
    return tmp_path


def test_the_workflow_of_ten_lines_proves_and_uploads(repository: Path) -> None:
    text = block("yaml")
    assert len(text.splitlines()) == 10
    workflow = yaml.safe_load(text)
    assert workflow[True] == "push"  # YAML 1.1 reads the key `on` as a truth value, GitHub as a word
    (job,) = workflow["jobs"].values()
    assert job.keys() == {"runs-on", "steps"}
    checkout, install, prove, upload = job["steps"]
    assert ACTION.fullmatch(checkout["uses"])
    assert ACTION.fullmatch(upload["uses"])
    assert upload["if"] == "always()"
    assert install["run"].endswith(" && tinyproof doctor --install")
    assert BOARD in prove["run"]
    proof = prove["run"] if effort.nightly else prove["run"].replace(BOARD, "reference")  # which need not be built
    done = run(repository, "-P", "-m", *shlex.split(proof))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (repository / upload["with"]["path"]).is_file()


@pytest.mark.nightly
def test_the_test_on_the_page_passes(repository: Path) -> None:
    (repository / "test_model.py").write_text(block("python"), encoding="utf-8")
    (command,) = [line.strip() for line in PAGE.splitlines() if line.startswith("    pytest ")]
    done = run(repository, "-m", *shlex.split(command))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
