# SPDX-License-Identifier: Apache-2.0
"""`tinyproof train` as a user meets it: flags, exit codes, one-line errors, live progress, and no chatter."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tinyproof.cli import main as cli
from tinyproof.core import paths
from tinyproof.core.paths import ROOT

# The command line in a fresh process whose build folder is the first argument.
PROGRAM = """
import pathlib, sys
import tinyproof.core.paths, tinyproof.cli.main
tinyproof.core.paths.BUILD = pathlib.Path(sys.argv.pop(1))
tinyproof.core.paths.CONFIG_FILE = tinyproof.core.paths.BUILD / "tinyproof.toml"
tinyproof.cli.main.main()
"""


@pytest.fixture(autouse=True)
def _own_build_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(paths, "CONFIG_FILE", tmp_path / "tinyproof.toml")


def train(*arguments: str) -> Result:
    result = CliRunner().invoke(cli.main, ["train", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_lesson_in_one_line(tmp_path: Path) -> None:
    result = train()
    assert result.exit_code == 0
    assert result.stdout == "model    y = 2.019 x - 1.059     500 SGD steps, RMSE 13.988 -> 0.044\n"
    assert sorted(path.name for path in (tmp_path / "build/neuron").iterdir()) == [
        "manifest.json",
        "model.keras",
        "trace.csv",
    ]


def test_flags_go_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "tinyproof.toml").write_text('model = "mine"\n[train]\nsteps = 7\nw = 3\nseed = 9\n')
    result = train("--json", "--w", "4", "--learning-rate", "0.02")
    manifest = json.loads(result.stdout)
    assert manifest["model"] == "mine"
    assert manifest["seeds"] == {"train": 9}
    assert manifest["training"]["steps"] == 7
    assert manifest["training"]["guess"] == {"w": 4.0, "b": -10.0}
    assert manifest["training"]["learning_rate"] == 0.02
    assert (tmp_path / "build/mine/model.keras").exists()


def test_a_csv_is_found_from_where_the_user_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "points.csv").write_text("x,y\n0,1\n1,3\n2,5\n")
    monkeypatch.chdir(tmp_path)
    result = train(
        "--data", "points.csv", "--model", "line-2.0", "--w=0", "--b=0", "--steps=2000", "--learning-rate=0.1"
    )
    assert result.stdout.startswith("model    y = 2.000 x + 1.000 "), result.output
    manifest = (tmp_path / "build/line-2.0/manifest.json").read_text()
    assert str(tmp_path) not in manifest, "no absolute path in an artefact"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["--steps", "0"], 2, "steps must be from 1"),
        (["--steps", "many"], 2, "not a valid integer"),
        (["--learning-rate", "nan"], 2, "finite"),
        (["--learning-rate", "-1"], 2, "above 0"),
        (["--w", "inf"], 2, "finite"),
        (["--seed", "-1"], 2, "seed"),
        (["--model", "../escape"], 2, "model name '../escape'"),
        (["--model", ""], 2, "model name ''"),
        (["--model", "current"], 2, "model name 'current'"),
        (["--learning-rate", "0.5"], 2, "diverged at step 27"),
        (["--data", "nowhere.csv"], 4, "nowhere.csv: No such file"),
        (["--data", "text.csv"], 4, "text.csv:3: column y: 'seven' is not a number"),
    ],
)
def test_bad_requests_end_in_one_line_and_the_documented_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], exit_code: int, says: str
) -> None:
    (tmp_path / "text.csv").write_text("x,y\n1,2\n3,seven\n")
    monkeypatch.chdir(tmp_path)
    result = train(*arguments)
    assert result.exit_code == exit_code
    assert result.stdout == ""
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert says in last
    assert not list(tmp_path.rglob("model.keras"))


def test_a_bad_configuration_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tinyproof.toml").write_text("[train]\nstep = 3\n")
    result = train()
    assert result.exit_code == 4
    assert "did you mean train.steps?" in result.stderr


@pytest.mark.nightly
def test_a_fresh_process_says_nothing_but_the_result(tmp_path: Path) -> None:
    """TensorFlow's banner, warnings of its dependencies, and bytes that depend on the process all show here."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "fresh"), "train"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert train().exit_code == 0
    for name in ("model.keras", "trace.csv", "manifest.json"):
        assert (tmp_path / "fresh/neuron" / name).read_bytes() == (tmp_path / "build/neuron" / name).read_bytes()


@pytest.mark.nightly
def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "shown"), "train", "--steps", "100000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # how Linux reports that the last writer of a terminal is gone
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    stdout, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert b"RMSE" in shown
    assert b"RMSE" in stdout
    assert b"\x1b" not in stdout


def test_help_loads_no_tensorflow() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tinyproof", "train", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "tinyproof" in imported
    assert not imported & {"tensorflow", "keras", "numpy", "rich"}
    for flag in ("--learning-rate", "--steps", "--w", "--b", "--seed", "--data", "--model", "--json"):
        assert flag in done.stdout
