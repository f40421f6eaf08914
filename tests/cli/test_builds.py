# SPDX-License-Identifier: Apache-2.0
"""Builds that several runs, several files of one name, and Ctrl-C meet at."""

from __future__ import annotations

import json
import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from support.tflite_writer import dense_network

from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.build_lock import locked
from tinyproof.core.files import replaced_whole


@pytest.fixture
def build_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "build"
    monkeypatch.setattr(paths, "BUILD", root)
    monkeypatch.setattr(paths, "CURRENT_FILE", root / "current")
    return root


def two_files(tmp_path: Path) -> list[str]:
    files = [tmp_path / folder / "model.tflite" for folder in ("a", "b")]
    for seed, file in enumerate(files, 1):
        file.parent.mkdir()
        file.write_bytes(dense_network(seed, (4, 3)))
    return [str(file) for file in files]


def test_a_second_file_of_one_name_is_refused_until_it_has_a_name(build_root: Path, tmp_path: Path) -> None:
    first, second = two_files(tmp_path)
    assert CliRunner().invoke(main, ["export", "--model", first]).exit_code == 0
    manifest = (build_root / "model/manifest.json").read_bytes()
    refused = CliRunner().invoke(main, ["export", "--model", second])
    assert refused.exit_code == 2
    assert f"holds the model of another file, {first}" in refused.stderr
    assert "--name NAME" in refused.stderr
    assert (build_root / "model/manifest.json").read_bytes() == manifest
    assert CliRunner().invoke(main, ["export", "--model", second, "--name", "second"]).exit_code == 0
    assert json.loads((build_root / "second/manifest.json").read_text())["model"] == "second"
    replaced = CliRunner().invoke(main, ["export", "--model", second, "--name", "model"])
    assert replaced.exit_code == 0
    assert f"held the model of {first}, and is replaced" in replaced.stderr
    assert (build_root / "model/manifest.json").read_bytes() != manifest


def test_a_file_that_was_changed_or_moved_replaces_its_own_build(build_root: Path, tmp_path: Path) -> None:
    first, second = two_files(tmp_path)
    assert CliRunner().invoke(main, ["export", "--model", first]).exit_code == 0
    Path(first).write_bytes(dense_network(9, (4, 3)))
    assert CliRunner().invoke(main, ["export", "--model", first]).exit_code == 0
    Path(first).unlink()
    moved = CliRunner().invoke(main, ["export", "--model", second])
    assert moved.exit_code == 0
    assert f"held the model of {first}, and is replaced" in moved.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--name", "x"], "--name is for the build of a file"),
        (["--model", "FILE", "--name", "../x"], "cannot be used"),
        (["--model", "FILE", "--name", ""], "cannot be used"),
    ],
)
def test_names_that_cannot_be_are_refused(build_root: Path, tmp_path: Path, arguments: list[str], says: str) -> None:
    first, _ = two_files(tmp_path)
    result = CliRunner().invoke(main, ["export", *(first if word == "FILE" else word for word in arguments)])
    assert result.exit_code == 2
    assert says in result.stderr
    assert not build_root.exists()


def test_a_budget_of_ram_is_bytes_or_a_word(build_root: Path, tmp_path: Path) -> None:
    first, _ = two_files(tmp_path)
    for ram, code in (("-1", 2), ("tiny", 2), ("²", 2), ("min", 0), ("small", 0), ("100000", 0)):
        done = CliRunner().invoke(main, ["export", "--model", first, "--ram", ram])
        assert (done.exit_code, "neither a number of bytes nor" in done.stderr) == (code, code == 2), done.output
        if code == 0:
            assert json.loads((build_root / "model/manifest.json").read_text())["memory"]["ram"] == ram


def test_a_library_is_made_with_the_options_that_are_given(build_root: Path, tmp_path: Path) -> None:
    first, _ = two_files(tmp_path)
    as_library = ["--as", "c", "--to", str(tmp_path / "library")]
    manifest = build_root / "model/manifest.json"
    for options, ram in ([], ""), (["--ram", "min"], "min"), ([], "min"), (["--keep-dead"], ""):
        done = CliRunner().invoke(main, ["export", "--model", first, *as_library, *options])
        assert done.exit_code == 0, done.output
        assert json.loads(manifest.read_text())["memory"].get("ram", "") == ram
    before = manifest.read_bytes()
    for options in (["--ram", "min"], ["--keep-dead"], ["--low=-1"], ["--high=1"], ["--seed=3"]):
        refused = CliRunner().invoke(main, ["export", "--model", "model", *as_library, *options])
        assert refused.exit_code == 2
        assert f"export with {options[0].split('=')[0]} first" in refused.stderr
    assert manifest.read_bytes() == before


def hold_for(folder: Path, holds: str, seconds: float) -> None:
    with locked(folder):
        Path(holds).touch()
        time.sleep(seconds)


def test_a_second_run_waits_for_the_first_and_says_so(build_root: Path, tmp_path: Path) -> None:
    first, _ = two_files(tmp_path)
    holds = tmp_path / "holds"
    other = multiprocessing.get_context("spawn").Process(target=hold_for, args=(build_root / "model", str(holds), 1.5))
    other.start()
    while not holds.exists():
        time.sleep(0.01)
    started = time.monotonic()
    result = CliRunner().invoke(main, ["export", "--model", first])
    assert result.exit_code == 0
    assert time.monotonic() - started > 0.5
    assert "is in use by another tinyproof; waiting for it" in result.stderr
    other.join()


def test_readers_share_a_build_and_writers_do_not(tmp_path: Path) -> None:
    waited = []
    program = (
        "import sys\nfrom pathlib import Path\nfrom tinyproof.core.build_lock import locked\n"
        "with locked(Path(sys.argv[1]), shared=sys.argv[2] == 'shared', waits=lambda: sys.exit(7)): pass\n"
    )
    with locked(tmp_path / "net", shared=True, waits=lambda: waited.append(1)), locked(tmp_path / "net"):
        for mode, code in (("shared", 0), ("alone", 7)):
            command = [sys.executable, "-P", "-c", program, str(tmp_path / "net"), mode]
            assert subprocess.run(command, check=False).returncode == code
    assert waited == []


def test_a_build_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "net"
    with replaced_whole(folder, "last") as copy:
        (copy / "one").write_text("1")
        (copy / "last").touch()
    (folder / "boards").mkdir()

    def interrupted() -> None:
        with replaced_whole(folder, "last") as copy:
            (copy / "one").unlink()
            (copy / "two").write_text("2")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert sorted(path.name for path in folder.iterdir()) == ["boards", "last", "one"]
    with replaced_whole(folder, "last", empty=True) as copy:
        assert list(copy.iterdir()) == []
        (copy / "two").write_text("2")
    assert sorted(path.name for path in folder.iterdir()) == ["boards", "two"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net"]


def test_ctrl_c_is_130_and_leaves_the_build_that_was_proven(tmp_path: Path, lesson_models: dict[str, Path]) -> None:
    """In the middle of a training."""
    (tmp_path / "tinyproof.toml").touch()
    build = tmp_path / "build/neuron"
    with replaced_whole(build, "manifest.json") as copy:
        for path in lesson_models["neuron"].iterdir():
            (copy / path.name).write_bytes(path.read_bytes())
    before = {path.name: path.read_bytes() for path in build.iterdir()}
    program = (
        "import os, signal, sys\nimport tinyproof.train.training as training\n"
        "training.record = lambda *_: os.kill(os.getpid(), signal.SIGINT)\n"
        "from tinyproof.cli.main import main\nmain(['run'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stderr.splitlines() == ["stopped"]
    assert {path.name: path.read_bytes() for path in build.iterdir()} == before


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = two_files(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "BUILD", tmp_path / "file" / "build")
    result = CliRunner().invoke(main, ["export", "--model", first])
    assert result.exit_code == 3
    assert "cannot be written" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_not_ours_is_left_alone(build_root: Path, tmp_path: Path, kind: str) -> None:
    """A project may well keep its own things under build/."""
    first, _ = two_files(tmp_path)
    theirs = build_root / "model" / "theirs.o" if kind == "folder" else build_root / "model"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("object")
    result = CliRunner().invoke(main, ["export", "--model", first])
    assert result.exit_code == 2
    assert "is no build: it has no manifest.json; take another name" in result.stderr
    assert theirs.read_text() == "object"


@pytest.mark.parametrize("verb", ["build", "check", "report", "profile"])
def test_a_build_that_is_not_there_leaves_nothing_behind(build_root: Path, verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "--model", "nonesuch"])
    assert result.exit_code == 2
    assert not build_root.exists()


@pytest.mark.parametrize("verb", ["run", "check"])
def test_json_and_junit_carry_a_refusal(build_root: Path, tmp_path: Path, verb: str) -> None:
    junit = tmp_path / "out.xml"
    options = ["--model", str(tmp_path / "none.tflite"), "--board", "reference", "--junit", str(junit), "--json"]
    result = CliRunner().invoke(main, [verb, *options])
    assert result.exit_code == 4
    document = json.loads(result.stdout)
    assert document["proven"] is False
    assert document["exit_code"] == 4
    assert "no such file" in document["error"]
    error = ElementTree.parse(junit).getroot().find("testcase/error")
    assert error is not None
    assert error.get("message") == document["error"]


def test_a_summary_that_cannot_be_written_hides_no_verdict(
    build_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = two_files(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    for verb in ("run", "check"):
        asked = [verb, "--model", first, "--board", "reference"]
        shown = CliRunner().invoke(main, asked)
        assert (shown.exit_code, "proof " in shown.stdout) == (3, True), shown.output
        assert "GITHUB_STEP_SUMMARY names" in shown.stderr
        document = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
        assert document.get("check", document)["proven"]


def test_run_writes_junit_and_says_what_to_do_next(build_root: Path, tmp_path: Path) -> None:
    first, _ = two_files(tmp_path)
    junit = tmp_path / "out.xml"
    options = ["--model", first, "--board", "reference", "--name", "net"]
    result = CliRunner().invoke(main, ["run", *options, "--junit", str(junit)])
    assert result.exit_code == 0, result.output
    assert ElementTree.parse(junit).getroot().get("errors") == "0"
    assert (
        "next     # accuracy on your samples\n         ./tinyproof check --model net --dataset FILE\n" in result.stdout
    )
    lines = result.stdout.splitlines()
    labels = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert labels[-4:] == ["report", "time", "proof", "next"], "the verdict comes last, and then what may follow"
    assert max(len(line) for line in lines if not line.startswith("report")) <= 80, "but for a path"
    document = json.loads(CliRunner().invoke(main, ["run", *options, "--json"]).stdout)
    assert document["check"]["answers_within_tolerance"] is None
    assert document["check"]["proven"] is True
