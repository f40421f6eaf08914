# SPDX-License-Identifier: Apache-2.0
"""Every simulated board answers as the golden reference does, and `run --board all` says so."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import effort
from support.compiled import compiled
from support.sanitizers import STRICT
from support.streaming import StreamingNet
from support.tflite_writer import Model

from tinyproof import matrix
from tinyproof.cli import run_all
from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.board_spec import Board, find_board
from tinyproof.core.build_record import read_build_record
from tinyproof.core.config import CheckConfig, Config
from tinyproof.core.emulator_command import emulator_command, ensure_simavr
from tinyproof.core.errors import EXIT_ENVIRONMENT, EXIT_MISMATCH, EXIT_PROVEN, EnvironmentFaultError, UsageError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import FIRMWARE, ROOT
from tinyproof.digests import build_trace
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check

Row = Callable[[str, str], matrix.MatrixRow]

MADE = 64  # inputs that each board makes itself
CONFIG = Config(check=CheckConfig(vectors=MADE))
NAMES = [board.name for board in matrix.simulated_boards()]
LESSON = ("neuron", "sine", "wide")
ANSWERED = ("neuron",)  # somebody knows what is right
FRAMES = 320  # 256 and the first quarter once more
# Model -> inputs that its check asks.
MODELS = {**dict.fromkeys(LESSON, 256), "streaming": FRAMES, "ends": 256}
# By day: scales per channel on kernels, compilers and memories of each kind; state and several ends where RAM is least.
KINDS = ["qemu-riscv32", "qemu-xtensa", "sim-uno"]
TRACED = {"ends": ["sim-uno"]}  # whose compiler, with an int of 16 bits, refuses most
NO_ROOM = {("streaming", "sim-uno")}  # for the firmware that traces
BY_DAY = {
    "wide": KINDS,  # on the Cortex-M4 in tests/host/test_qemu.py
    "streaming": ["sim-uno"],
    "ends": ["sim-uno"],
}


@pytest.fixture(scope="module")
def exported(lesson_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exported models: a neuron, 1-16-16-1, a wide one with different scales per channel, one with state
    and a uint8 output, and one of several ends and types."""
    folder = tmp_path_factory.mktemp("models")
    for name in LESSON:
        shutil.copytree(lesson_models[name], folder / name)
    for name, tflite in (("streaming", StreamingNet(5, channels=4).build()), ("ends", several_ends())):
        compiled(folder / name, tflite)
    return folder


def several_ends() -> bytes:
    """int8 [1, 3] and int16 [1, 4] in; int8 [1, 3], int16 [1, 4] and bool [1, 3] out."""
    model = Model()
    bytes_in, words_in = model.input((1, 3), 0.1, 3), model.input((1, 4), 0.01, 0, dtype="int16")
    added, product = model.tensor((1, 3), 0.2, -5), model.tensor((1, 4), 0.02, 0, dtype="int16")
    positive = model.tensor((1, 3), dtype="bool")
    zero = model.tensor((1,), 0.1, 3, [3])
    model.add("ADD", [bytes_in, bytes_in], [added])
    model.add("MUL", [words_in, words_in], [product])
    model.add("GREATER", [bytes_in, zero], [positive])
    return model.build(added, product, positive)


@pytest.fixture(scope="module")
def row(exported: Path) -> Row:
    """row(model, board) of the matrix. The first that is asked for brings those of all boards that are asked for today,
    another board comes alone."""
    made: dict[tuple[str, str], matrix.MatrixRow] = {}

    def prove(model: str, name: str) -> matrix.MatrixRow:
        if (model, name) not in made:
            today = NAMES if effort.nightly else BY_DAY.get(model, [])
            boards = [find_board(board) for board in (today if name in today else [name])]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tinyproof.digests.build_trace", trace_some)
                for found in matrix.prove(boards, exported / model, CONFIG, lambda *_: None):
                    made[model, found.board] = found
        return made[model, name]

    def trace_some(board: Board, folder: Path) -> None:
        if is_traced(folder.name, board.name):
            build_trace(board, folder)

    return prove


def is_traced(model: str, name: str) -> bool:
    """Whether a firmware that traces is built, too, which takes as long as the other."""
    return effort.nightly or name in TRACED.get(model, [])


def test_at_least_eight_boards_of_three_instruction_sets_are_simulated() -> None:
    assert {"sim-uno", "qemu-cortex-m0", "qemu-riscv32"} <= set(NAMES)
    assert len(NAMES) >= 8
    assert len({board.isa for board in matrix.simulated_boards()}) >= 3


# A warning fails the build, so a row with sizes is a build without one.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "name"),
    [
        pytest.param(model, name, marks=[] if name in BY_DAY.get(model, []) else [pytest.mark.nightly])
        for model in MODELS
        for name in NAMES
    ],
)
def test_every_board_answers_bit_for_bit(exported: Path, row: Row, model: str, name: str) -> None:
    proof = row(model, name)
    assert proof.error == ""
    assert (proof.bits_checked, proof.bits_different) == (MODELS[model], 0)
    assert proof.answers_within_tolerance is (True if model in ANSWERED else None)
    assert proof.proven
    assert proof.tick_unit == find_board(name).tick_unit
    assert 0 < proof.ticks_min <= proof.ticks_max
    assert proof.engine_flash_bytes
    assert proof.flash_bytes
    assert proof.ram_bytes
    memory = find_board(name).memory
    assert memory is not None
    assert proof.flash_bytes <= memory.flash_bytes
    assert proof.ram_bytes <= memory.ram_bytes, "the stack's reserve is part of it"
    folder = exported / model / "boards" / name
    document = json.loads((folder / "check.json").read_text())
    many = document["many"]
    assert (many["checked"], many["on_board"], many["identical"]) == (MADE, True, True)
    record, seen = read_build_record(folder), document["stack_used_bytes"]
    if is_traced(model, name) and model != "neuron":  # whose one operator writes the answer
        if (model, name) in NO_ROOM:
            assert document["digests_note"].endswith("makes it where it fits")
        else:
            assert document["digests"] is not None, document["digests_note"]
            assert document["digests"]["different"] == 0
    assert record is not None
    assert record.ram.total_bytes == proof.ram_bytes
    assert record.ram.state_bytes == (read_manifest(exported / model).memory or record.ram).state_bytes
    assert record.stack_bound_bytes is not None, record.stack_bound_why
    assert 100 < seen <= record.stack_bound_bytes <= record.ram.stack_bytes


@pytest.mark.nightly
def test_the_interpreter_on_this_machine_agrees(exported: Path) -> None:
    for model in MODELS:
        report = check(find_board("reference"), exported / model, None, CONFIG.check)
        assert (report.bits.checked, report.bits.different) == (MODELS[model], 0)


def test_on_avr_weights_stay_in_flash(row: Row) -> None:
    """The wide model has 1,072 bytes of weights and as many of other tables: half of an Uno's RAM."""
    uno = [row(model, "sim-uno").engine_ram_bytes or 0 for model in ("neuron", "wide")]
    assert uno[1] - uno[0] < 100


# What makes the neuron's generated C too big for an Uno: file, text, what stands for it.
TABLE = "static volatile KERNEL_TABLE int8_t more[30000] = {1};\n\n"
ENLARGED = {
    "flash": (
        "model_compiled.c",
        "void model_run(int8_t *arena) {",
        f"{TABLE}void model_run(int8_t *arena) {{\n    arena += more[0] - 1;",
    ),
    "ram": ("model_compiled.h", "#define MODEL_ARENA_BYTES ", "#define MODEL_ARENA_BYTES 1700 + "),
}


def enlarged(source: Path, target: Path, region: str) -> Path:
    """A copy of a build with more to store; its manifest vouches for it."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("boards"))
    name, text, replacement = ENLARGED[region]
    content = (target / name).read_text()
    assert content.count(text) == 1
    (target / name).write_text(content.replace(text, replacement))
    manifest = read_manifest(target)
    manifest.add_artefact(target / name)
    manifest.write(target)
    return target


@pytest.mark.parametrize(("region", "has"), [("flash", "32,256"), ("ram", "2,048")])
def test_a_model_too_big_for_a_board_is_refused_with_the_sizes(
    exported: Path, tmp_path: Path, region: str, has: str
) -> None:
    folder = enlarged(exported / "neuron", tmp_path / "large", region)
    with pytest.raises(EnvironmentFaultError) as raised:
        build(find_board("sim-uno"), folder)
    message = raised.value.message
    assert "\n" not in message
    assert message.startswith("sim-uno: the firmware does not fit: needs ")
    assert f"B of {region}, the board has {has} B" in message
    assert ("384 B of the ram are the stack's" in message) == (region == "ram")
    assert raised.value.exit_code == EXIT_ENVIRONMENT
    if effort.nightly:  # by day too large for one board is enough
        assert build(find_board("qemu-cortex-m4"), folder).elf.is_file()


@pytest.fixture
def own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Verbs work in a folder of the test's."""
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.setattr(paths, "CURRENT_FILE", tmp_path / "current")
    monkeypatch.setattr("tinyproof.cli.verbs.run.CONFIG_FILE", tmp_path / "tinyproof.toml")
    return tmp_path


def few(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    chosen = [find_board(name) for name in names]
    monkeypatch.setattr(run_all, "simulated_boards", lambda: chosen)


@pytest.mark.usefixtures("own_project")
def test_run_all_prints_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, "qemu-cortex-m3", "sim-uno")
    done = CliRunner().invoke(main, ["run", "--board", "all", "--json"])
    assert done.exit_code == EXIT_PROVEN, done.output
    document = json.loads(done.stdout)
    assert document["proven"] is True
    assert document["instruction_sets"] == ["armv7-m", "avr5"]
    assert {"train", "export", "boards"} <= document["stages"].keys()
    assert [row["board"] for row in document["boards"]] == ["qemu-cortex-m3", "sim-uno"]
    for row in document["boards"]:
        assert row["engine"] == "compiled"
        assert row["bits_checked"] == 256
        assert row["bits_different"] == 0
        assert row["answers_within_tolerance"] is True
        assert row["engine_flash_bytes"] > 50
        assert row["engine_ram_bytes"] > 0


@pytest.mark.usefixtures("own_project")
def test_a_missing_tool_is_a_row_and_exit_3(
    monkeypatch: pytest.MonkeyPatch, exported: Path, own_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(exported / "neuron", own_project / "neuron")
    here = find_board("qemu-cortex-m3")
    without = dataclasses.replace(here.build, toolchain="no-such-", package="gcc-x")
    no_compiler = dataclasses.replace(here, name="none", build=without)
    rows = run_all.run_matrix(CONFIG, [no_compiler, here])
    assert [row.proven for row in rows] == [False, True]
    assert "no-such-gcc is missing" in rows[0].error
    assert "gcc-x" in rows[0].error
    assert matrix.exit_code(rows) == EXIT_ENVIRONMENT
    run_all.print_matrix(rows)
    run_all.conclude_matrix(rows)
    text = capsys.readouterr().out
    assert "no-such-gcc is missing; sudo apt-get install gcc-x" in text
    assert "1 of 2 boards" in text
    assert json.loads((own_project / "neuron" / run_all.FILE).read_text())["boards"][1]["proven"] is True


def test_a_wrong_board_outweighs_a_missing_one() -> None:
    right = matrix.MatrixRow("a", "x", "compiled", proven=True)
    wrong = dataclasses.replace(right, proven=False, exit_code=EXIT_MISMATCH)
    missing = dataclasses.replace(right, proven=False, exit_code=EXIT_ENVIRONMENT)
    assert matrix.exit_code([right, right]) == EXIT_PROVEN
    assert matrix.exit_code([right, missing]) == EXIT_ENVIRONMENT
    assert matrix.exit_code([missing, wrong, right]) == EXIT_MISMATCH


def test_a_wrong_answer_shows_in_the_table(exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The neuron's vectors with one output bit turned: the board is right and the table must say that they differ."""
    folder = tmp_path / "neuron"
    shutil.copytree(exported / "neuron", folder)
    vectors = json.loads((folder / "vectors.json").read_text())
    vectors["vectors"][7]["out"] = f"{int(vectors['vectors'][7]['out'], 16) ^ 1:02x}"
    (folder / "vectors.json").write_text(json.dumps(vectors))
    rows = matrix.prove([find_board("qemu-cortex-m3")], folder, CONFIG, lambda *_: None)
    assert (rows[0].bits_different, rows[0].proven, matrix.exit_code(rows)) == (1, False, EXIT_MISMATCH)
    run_all.print_matrix(rows)
    run_all.conclude_matrix(rows)
    text = capsys.readouterr().out
    assert "255/256" in text
    assert "NOT ALL" in text
    assert all(len(line) <= 80 for line in text.splitlines()[:3])


def test_the_port_of_all_boards_is_a_contradiction() -> None:
    done = CliRunner().invoke(main, ["run", "--board", "all", "--port", "/dev/ttyACM0"])
    assert done.exit_code == UsageError.exit_code
    assert "--port names one board" in done.output


def emulators_of(folder: Path) -> list[int]:
    """Processes that run an image below `folder`, by their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.startswith(os.fsencode(folder)) and word.endswith(b"firmware.elf") for word in words):
                found.append(int(entry.name))
    return found


PROGRAM = """
import pathlib, sys
from tinyproof.host import check as checking
from tinyproof.host import expected
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config
from tinyproof import matrix

real = checking.read_vectors
# Long enough to be interrupted.
checking.read_vectors = lambda folder: expected.Vectors(real(folder).pairs * 400, "exhaustive")
boards = [find_board(name) for name in ("qemu-cortex-m3", "sim-uno")]
matrix.prove(boards, pathlib.Path(sys.argv[1]), Config(), lambda *_: None)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "number",
    [*(pytest.param(each, marks=pytest.mark.nightly) for each in (signal.SIGINT, signal.SIGTERM)), signal.SIGKILL],
)
def test_no_emulator_outlives_the_run(exported: Path, row: Row, number: signal.Signals) -> None:
    folder = exported / "neuron"
    assert row("neuron", "sim-uno").proven, "the program below needs the firmware that this builds"
    assert emulators_of(exported) == []
    running = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while len(emulators_of(folder)) < 2:
            assert running.poll() is None, "it ended before both emulators ran"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(number)
        assert running.wait(20) != 0
    finally:
        running.kill()
        running.wait()
    deadline = time.monotonic() + 5
    while emulators_of(exported):
        assert time.monotonic() < deadline, "an emulator is still running"
        time.sleep(0.05)


def test_the_runner_is_compiled_where_it_is_missing_and_kept(tmp_path: Path) -> None:
    target = tmp_path / "tools" / "simavr"
    ensure_simavr("sim-uno", "libsimavr-dev", target)
    stamp = target.stat().st_mtime_ns
    assert ensure_simavr("sim-uno", "libsimavr-dev", target).stat().st_mtime_ns == stamp
    assert [path.name for path in target.parent.iterdir()] == ["simavr"], "nothing half done is left"
    done = subprocess.run([target, "atmega328p"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "simavr: usage: simavr MCU HZ ELF FD\n")


def test_the_runner_names_the_package_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFaultError, match="sudo apt-get install gcc libsimavr-dev") as raised:
        ensure_simavr("sim-uno", "gcc libsimavr-dev", tmp_path / "simavr")
    assert raised.value.exit_code == EXIT_ENVIRONMENT


def test_the_runner_is_clean_under_the_project_s_warnings(tmp_path: Path) -> None:
    subprocess.run(["gcc", *STRICT, "-c", str(FIRMWARE / "simavr/runner.c"), "-o", str(tmp_path / "o")], check=True)


def test_a_missing_emulator_names_its_package(tmp_path: Path) -> None:
    board = find_board("qemu-riscv32")
    assert board.emulator is not None
    missing = dataclasses.replace(board.emulator, command=("no-such-qemu", "{elf}"))
    board = dataclasses.replace(board, emulator=missing)
    with pytest.raises(EnvironmentFaultError, match=r"no-such-qemu is missing.*apt-get install qemu-system-misc"):
        emulator_command(board, tmp_path, 3)
