# SPDX-License-Identifier: Apache-2.0
"""The verbs check, simulate and boards, as a user sees them."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from support.fake_build import ID, X, Y, line
from support.faulty_board import Faults, FaultyBoard
from support.single_device import single_device

from tinyproof.cli import main as cli
from tinyproof.core import board_spec
from tinyproof.core.board_spec import all_boards
from tinyproof.core.paths import ROOT

StartBoard = Callable[..., FaultyBoard]


@pytest.fixture
def run(build_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Runs a verb on the build `line` in an empty project, which has a board `fake`."""
    folder = build_dir.parent / "boards"
    folder.mkdir()
    (folder / "fake.toml").write_text(
        'description = "made of Python"\nkind = "serial"\nisa = "none"\ntick_unit = "us"\n', encoding="utf-8"
    )
    monkeypatch.setattr(board_spec, "BOARDS", folder)
    monkeypatch.setattr("tinyproof.cli.ask_board.build_dir", lambda model: build_dir.parent / model)
    monkeypatch.setattr("tinyproof.cli.verbs.check.CONFIG_FILE", build_dir.parent / "tinyproof.toml")
    all_boards.cache_clear()

    def invoke(*arguments: str) -> Result:
        fixed = ["--board", "fake", "--model", "line", "--timeout", "0.1", "--retries", "2"]
        return CliRunner().invoke(cli.main, [arguments[0], *fixed, *arguments[1:]], catch_exceptions=False)

    yield invoke
    all_boards.cache_clear()


def wrong(content: bytes) -> bytes:
    return bytes([line(content)[0] ^ 1]) if content == b"\x05" else line(content)


def test_a_proof_is_a_table_of_80_columns(run: Callable[..., Result], start_board: StartBoard) -> None:
    result = run("check", "--port", start_board().port)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["check", "x", "expected", "fake", "error", "bits"]
    assert lines[1].split()[:2] == ["-1.0", "-3.00"]
    assert lines[1].split()[-1] == "identical"
    assert [line.split()[0] for line in lines[-4:]] == ["proof", "tolerance", "next", "./tinyproof"]
    assert "256 of 256 int8 inputs bit-identical to TFLite Micro" in result.stdout
    assert "within tolerance 0.2 (why: a step)" in " ".join(result.stdout.split())
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in result.output


def test_a_mismatch_exits_1_and_shows_both_numbers(run: Callable[..., Result], start_board: StartBoard) -> None:
    board = start_board(device=single_device(ID, X, Y, wrong))
    result = run("check", "--port", board.port)
    assert result.exit_code == 1
    q = line(b"\x05")[0]
    assert "MISMATCH" in result.stdout
    assert "255 of 256" in result.stdout
    assert f"expected q = {q}, board q = {q ^ 1}" in " ".join(result.stdout.split())
    assert f"expected q = {q}, board q = {q ^ 1}" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_is_one_document_whatever_the_outcome(run: Callable[..., Result], start_board: StartBoard) -> None:
    proven = run("check", "--json", "--port", start_board().port)
    document = json.loads(proven.stdout)
    assert document["proven"] is True
    assert (document["bits_checked"], document["bits_different"], document["model_id"]) == (256, 0, ID)
    failed = run("check", "--json", "--port", start_board(device=single_device(ID, X, Y, wrong)).port)
    document = json.loads(failed.stdout)
    assert failed.exit_code == 1
    assert document["proven"] is False
    assert document["divergences"][0]["x_q"] == [5]


# What programs read. A key may be added; one that goes breaks somebody's script.
BITS_KEYS = {
    *("divergences", "layer_note", "ticks_min", "ticks_max", "tick_unit"),
    *("seconds", "round_trips", "round_trips_per_second", "repeats", "resets"),
}
CHECK_KEYS = {
    *("model", "model_id", "board", "engine", "protocol", "vectors", "reference", "bits_checked", "bits_different"),
    *("answers", "tolerance", "tolerance_why", "startup_ticks", "arena_used_bytes", "stack_used_bytes", "coverage"),
    *("bits_identical", "answers_within_tolerance", "proven"),
}


def test_check_json_keeps_its_keys(run: Callable[..., Result], start_board: StartBoard, build_dir: Path) -> None:
    document = json.loads(
        run("check", "--json", "--port", start_board(device=single_device(ID, X, Y, wrong)).port).stdout
    )
    assert document.keys() >= BITS_KEYS | CHECK_KEYS
    assert document["divergences"][0].keys() >= {"index", "x_q", "element", "expected_q", "board_q", "layer"}
    assert json.loads((build_dir / "boards" / "fake" / "check.json").read_text()).keys() == document.keys()


def test_json_has_no_nan_though_a_board_answers_nan(run: Callable[..., Result], start_board: StartBoard) -> None:
    board = start_board(device=single_device(ID, X, dataclasses.replace(Y, scale=float("nan")), line))
    result = run("check", "--json", "--port", board.port)
    assert result.exit_code == 1

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    document = json.loads(result.stdout, parse_constant=refuse)
    assert document["answers"][0]["error"] is None
    assert document["answers"][0]["within"] is False


def test_junit_holds_a_case_per_vector_and_the_failures(
    run: Callable[..., Result], start_board: StartBoard, tmp_path: Path
) -> None:
    path = tmp_path / "check.xml"
    assert run("check", "--junit", str(path), "--port", start_board().port).exit_code == 0
    suite = ElementTree.parse(path).getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", str(256 + 2 * 5), "0")
    assert len(suite.findall("testcase")) == 256 + 2 * 5
    board = start_board(device=single_device(ID, X, Y, wrong))
    assert run("check", "--junit", str(path), "--port", board.port).exit_code == 1
    suite = ElementTree.parse(path).getroot()
    failing = [case for case in suite.findall("testcase") if case.find("failure") is not None]
    assert suite.get("failures") == str(len(failing)) == "1"
    assert failing[0].get("name") == f"bits of input {128 + 5}"
    assert "x_q = 5" in failing[0].find("failure").get("message", "")  # type: ignore[union-attr]


def test_junit_shows_every_failure_of_a_board_that_is_always_wrong(
    run: Callable[..., Result], start_board: StartBoard, tmp_path: Path
) -> None:
    path = tmp_path / "check.xml"
    board = start_board(device=single_device(ID, X, Y, lambda content: bytes([line(content)[0] ^ 1])))
    result = run("check", "--junit", str(path), "--port", board.port)
    assert result.exit_code == 1
    assert "... and 251 more" in result.stdout
    failing = [case for case in ElementTree.parse(path).getroot().iter("testcase") if case.find("failure") is not None]
    assert len([case for case in failing if case.get("name", "").startswith("bits of input")]) == 256


def test_junit_tells_of_a_board_that_cannot_be_checked(
    run: Callable[..., Result], start_board: StartBoard, tmp_path: Path
) -> None:
    path = tmp_path / "check.xml"
    result = run("check", "--junit", str(path), "--port", start_board(Faults(silent=True)).port)
    assert result.exit_code == 3
    error = ElementTree.parse(path).getroot().find("testcase/error")
    assert error is not None
    assert "not one byte came" in error.get("message", "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--port", "/dev/ttyTINYPROOF9"], 3, "/dev/ttyTINYPROOF9 is absent"),
        (["--port", "ftp://x"], 2, "use a device file, a COM port, socket://HOST:PORT"),
        ([], 2, "--port"),
        (["--model", "nonesuch"], 2, "/nonesuch has no manifest"),
        (["--board", "fakee"], 2, "did you mean fake?"),
        (["--timeout", "0"], 2, "--timeout"),
    ],
)
def test_what_cannot_be_checked_is_said_in_one_line(
    run: Callable[..., Result], arguments: list[str], code: int, says: str
) -> None:
    result = run("check", *arguments)
    assert result.exit_code == code
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_boards_are_listed_at_80_columns() -> None:
    result = CliRunner().invoke(cli.main, ["boards"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    listed = {name for name, board in all_boards().items() if not board.hidden}
    assert {text[2:].split()[0] for text in lines[1:]} >= listed
    assert next(text for text in lines if text.startswith("*")).split()[1] == "qemu-cortex-m4"
    assert max(map(len, lines)) <= 80
    rows = json.loads(CliRunner().invoke(cli.main, ["boards", "--json"]).stdout)["boards"]
    assert {row["board"] for row in rows} == listed
    assert [row["board"] for row in rows if row["default"]] == ["qemu-cortex-m4"]


@pytest.mark.parametrize("arguments", [["check", "--help"], ["boards"], ["boards", "--json"], ["simulate", "--help"]])
def test_small_verbs_load_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys, tinyproof.cli.main\n"
        f"tinyproof.cli.main.main({arguments!r}, standalone_mode=False)\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'matplotlib', 'serial', 'tflite_micro', 'platformio', 'rich'}\n"
        f"heavy -= {{'serial'}} if {arguments!r}[0] == 'boards' else set()  # it looks at what is plugged in\n"
        "print('loaded:', sorted(set(sys.modules) & heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_a_check_needs_neither_tensorflow_nor_numpy(build_dir: Path, start_board: StartBoard) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom tinyproof.host.check import check\n"
        "from tinyproof.core.board_spec import Board\n"
        "from tinyproof.core.config import CheckConfig\n"
        "report = check(Board('fake', '', 'serial', '', ''), Path(sys.argv[1]), sys.argv[2], CheckConfig())\n"
        "print(report.proven, sorted(set(sys.modules) & {'tensorflow', 'numpy', 'keras', 'tflite_micro'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(build_dir), start_board().port],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True []"
