# SPDX-License-Identifier: Apache-2.0
"""The Tab key, as bash itself asks: with the script that `completion` prints, typed at the command line's end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tinyproof.cli.main import main

# Asks the script for what it would offer behind the words that are its arguments.
ASK = """
eval "$(tinyproof completion bash)"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $1 $2"; }
_tinyproof_completion "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "tinyproof.toml").touch()
    (tmp_path / "build/kws").mkdir(parents=True)
    (tmp_path / "build/kws/manifest.json").touch()
    command = tmp_path / "bin/tinyproof"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m tinyproof "$@"\n')
    command.chmod(0o755)
    return tmp_path


def offered(home: Path, *words: str) -> list[str]:
    environment = {**os.environ, "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
    asked = subprocess.run(
        ["bash", "-c", ASK, "bash", "tinyproof", *words],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stderr == ""
    return asked.stdout.split("\n")[:-1]


def test_bash_completes_verbs_boards_and_builds(home: Path) -> None:
    assert offered(home, "ex") == ["export", "example"]
    assert offered(home, "check", "--board", "qemu-cortex-m3") == ["qemu-cortex-m3", "qemu-cortex-m33"]
    assert offered(home, "run", "--board", "a") == ["all"]
    assert offered(home, "check", "--model", "k") == ["compopt -o default", "kws"]
    assert offered(home, "check", "--model", "x.tfl") == ["compopt -o default", ""]
    assert offered(home, "check", "--da") == ["--dataset"]


def test_a_shell_that_is_not_known_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    result = CliRunner().invoke(main, ["completion"])
    assert result.exit_code == 2
    assert "no completion for the shell 'tcsh': name one of bash, zsh, fish" in result.stderr
    for shell in ("zsh", "fish"):
        assert "_TINYPROOF_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).output
