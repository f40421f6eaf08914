# SPDX-License-Identifier: Apache-2.0
"""`tinyproof compare`, and what verbs add to GitHub's step summary."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.mutated_build import bend_a_weight
from support.own_project import git
from support.tflite_writer import dense_network

from tinyproof.cli.main import main
from tinyproof.cli.step_summary import add_check
from tinyproof.comparison import Compared, Limits, Measured, compare
from tinyproof.core import paths
from tinyproof.core.build_lock import locked
from tinyproof.core.config import Config

SMALL, LARGE = dense_network(20, [3, 4, 2]), dense_network(20, [3, 5, 6, 4, 2])


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's repository, whose model grows from one commit to the next."""
    root = tmp_path_factory.mktemp("repository")
    (root / "models").mkdir()
    git(root, "init", "-q")
    for words, content in (("small", SMALL), ("large", LARGE)):
        (root / "models" / "net.tflite").write_bytes(content)
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", words)
    return root


@pytest.fixture
def own_project(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", repository / "build")
    monkeypatch.setattr(paths, "CURRENT_FILE", repository / "build" / "current")
    monkeypatch.setattr("tinyproof.cli.verbs.compare.load_config", lambda file: Config())
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(repository)
    return repository


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments])


def test_a_revision_that_grew_fails_and_says_where(own_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = own_project / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = run("HEAD~1", "HEAD", "--model", "models/net.tflite")
    assert done.exit_code == 1, done.output
    assert "HEAD is worse than HEAD~1 beyond the limits: flash B, RAM B, insn" in done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert re.match(r"compare  HEAD~1 \([0-9a-f]{16}\) -> HEAD \([0-9a-f]{16}\)", lines[0])
    assert re.search(r"insn +\d+ +\d+ +\+\d+\.\d% +\+1% +WORSE", done.stdout)
    assert lines[-1] == "WORSE    256 of 256 inputs of the new one bit-identical on qemu-cortex-m4"
    text = summary.read_text()
    assert text.startswith("### HEAD\\~1 -\\> HEAD on qemu-cortex-m4\n\n|  | old | new | change | limit |  |\n| --- |")
    assert re.search(r"\| insn \| \d+ \| \d+ \| \+[\d.]+% \| \+1% \| WORSE \|", text)

    # By now their records hold all of it: nothing is built or asked again.
    monkeypatch.setattr("tinyproof.comparison.check_and_locate", lambda *_: pytest.fail("asked again"))
    wide = [f"--max-{name}=1000" for name in ("flash", "ram", "instructions")]
    page = own_project / "pages" / "compared.html"
    again = run("compare-old", str(own_project / "build" / "compare-new"), *wide, "--json", "--html", str(page))
    assert again.exit_code == 0, again.output
    assert "✓ Within the limits" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count(">not there</td>") == 2, "two layers more"
    document = json.loads(again.stdout)
    assert (document["regressed"], document["old"]["bits_checked"]) == ([], 256)
    assert document["old"]["ticks"] < document["new"]["ticks"]
    assert document["figures"][0]["figure"] == "bits different"
    assert run("compare-new", "compare-old").exit_code == 0  # smaller is no regression


def test_samples_give_both_an_accuracy(own_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (own_project / "build" / "compare-old").is_dir():
        run("HEAD~1", "HEAD", "--model", "models/net.tflite")
    np.savez(own_project / "d.npz", x_q=np.arange(-60, 60, dtype=np.int8).reshape(40, 3), y=np.zeros(40, np.int64))
    done = run("compare-old", "compare-new", "--dataset", "d.npz", "--json", "--max-accuracy-loss=0")
    document = json.loads(done.stdout)
    old, new = document["old"]["accuracy"], document["new"]["accuracy"]
    row = next(row for row in document["figures"] if row["figure"] == "accuracy")
    assert row["change"] == pytest.approx(100 * (new - old))
    assert ("accuracy" in document["regressed"]) == (new < old)
    monkeypatch.setattr("tinyproof.comparison.check_samples", lambda *_, **__: pytest.fail("asked again"))
    again = run("compare-old", "compare-new", "--dataset", "d.npz", "--limit", "1000", "--json")
    assert json.loads(again.stdout)["new"]["accuracy"] == new


def test_samples_may_be_a_folder_and_need_a_form(own_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (own_project / "build" / "compare-old").is_dir():
        run("HEAD~1", "HEAD", "--model", "models/net.tflite")
    for name in ("yes", "no"):
        (own_project / "heard" / name).mkdir(parents=True)
        with wave.open(str(own_project / "heard" / name / "a.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 3, "NONE", ""))
            file.writeframes(name[:1].encode() * 6)
    samples = ("compare-old", "compare-new", "--dataset", "heard")
    bare = run(*samples)
    assert (bare.exit_code, "--values LOW,HIGH" in bare.stderr) == (4, True)
    done = run(*samples, "--values=-1,1", "--classes=yes,no", "--json", "--max-accuracy-loss=100")
    assert {json.loads(done.stdout)[side]["accuracy"] for side in ("old", "new")} <= {0.0, 0.5, 1.0}, done.output
    monkeypatch.setattr("tinyproof.comparison.check_samples", lambda *_, **__: pytest.fail("asked again"))
    again = run(*samples, "--json", "--max-accuracy-loss=100")
    assert json.loads(again.stdout)["old"] == json.loads(done.stdout)["old"]


def hold_for(folder: Path, holds: str, seconds: float) -> None:
    with locked(folder):
        Path(holds).touch()
        time.sleep(seconds)


def test_a_build_in_use_is_waited_for_with_a_word(own_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyproof.comparison._measure", lambda name, *_: measured())
    for name in ("a", "b"):
        (own_project / "build" / name).mkdir(parents=True)
        (own_project / "build" / name / "manifest.json").touch()
    given = (own_project / "build" / "b", str(own_project / "holds"), 1.5)
    other = multiprocessing.get_context("spawn").Process(target=hold_for, args=given)
    other.start()
    while not (own_project / "holds").exists():
        time.sleep(0.01)
    done = run("a", "b")
    other.join()
    assert done.exit_code == 0, done.output
    assert done.stderr.count("is in use by another tinyproof; waiting for it") == 1


@pytest.mark.nightly
def test_a_build_with_other_bits_is_worse_whatever_the_limits(own_project: Path) -> None:
    if not (own_project / "build" / "compare-new").is_dir():
        run("HEAD~1", "HEAD", "--model", "models/net.tflite")
    broken = own_project / "build" / "broken"
    shutil.copytree(own_project / "build" / "compare-new", broken)
    shutil.rmtree(broken / "boards")
    bend_a_weight(broken)
    done = run("compare-new", "broken", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["regressed"] == ["bits different"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("gone", "gone"), 2, "gone is no build"),
        (("HEAD", "nonesuch", "--model", "models/net.tflite"), 2, "nonesuch:./net.tflite"),
        (("--model", "models/net.tflite", "HEAD", "--", "--output=x"), 2, "--output=x:./net.tflite"),
        (("HEAD", "HEAD", "--model", "gone/net.tflite"), 2, "a folder that is there"),
        (("HEAD", "HEAD", "--model", "models"), 2, "revisions are compared of one file"),
        (("a", "b", "--board", "nonesuch"), 2, "unknown board"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(
    own_project: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = run(*arguments)
    assert (done.exit_code, len(done.stderr.splitlines())) == (code, 1), done.output
    assert says in done.stderr
    assert not (own_project / "x").exists()


def measured(**changes: float) -> Measured:
    right = {"model_bytes": 900, "bits_checked": 256, "bits_different": 0, "flash_bytes": 1000, "ram_bytes": 100}
    rest = {"ticks": 5000, "accuracy": 0.9, **changes}
    return Measured("m", "0" * 16, **{**right, **rest}, tick_unit="insn")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "regressed"),
    [
        ({}, []),
        ({"flash_bytes": 1010, "ticks": 5050, "accuracy": 0.89}, []),  # at the limit
        ({"flash_bytes": 1011}, ["flash B"]),
        ({"ram_bytes": 102}, ["RAM B"]),
        ({"ticks": 5051}, ["insn"]),
        ({"accuracy": 0.8899}, ["accuracy"]),
        ({"bits_different": 1}, ["bits different"]),
        ({"flash_bytes": 1, "ram_bytes": 1, "ticks": 1, "accuracy": 1.0, "model_bytes": 9000}, []),
    ],
)
def test_limits_are_what_may_still_be(changes: dict[str, float], regressed: list[str]) -> None:
    rows: list[Compared] = compare(measured(), measured(**changes), Limits())
    assert [row.figure for row in rows if row.regressed] == regressed


def test_no_name_becomes_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyproof.host.bits import BitsResult
    from tinyproof.host.check_report import CheckReport

    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    bits = BitsResult(checked=2, ticks_max=1234, tick_unit="insn")
    add_check(CheckReport("<b>|`*\n#x", "0" * 16, "b", "compiled", 1, "random", "TFLite Micro", bits))
    lines = (tmp_path / "summary.md").read_text().splitlines()
    assert lines[0] == r"### \<b\>\|\`\*\\n\#x on b: proven"
    assert lines[2:6] == ["|  |  |", "| --- | --- |", "| board | b, engine compiled |", lines[5]]
    assert "| bits | 2 of 2 identical to TFLite Micro |" in lines
    assert "| inference | at most 1,234 insn |" in lines
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    add_check(CheckReport("m", "0" * 16, "b", "compiled", 1, "random", "TFLite Micro", bits))
    assert len((tmp_path / "summary.md").read_text().splitlines()) == len(lines)
