# SPDX-License-Identifier: Apache-2.0
"""`inspect` and `profile`: figures that agree with what is built and measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.compiled import compiled
from support.native import ENGINE
from support.sanitizers import STRICT
from support.tflite_writer import dense_network

import tinyproof.core.paths
from tinyproof.cli import main as cli
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import InputFileError
from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import ROOT
from tinyproof.export.footprint import inspect_model
from tinyproof.export.profile_codegen import write_profile
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.host.cycles.measuring import inference_cycles
from tinyproof.host.step_trace import sample_inputs

PATIENT = CheckConfig(timeout_s=5.0)
QEMU = find_board("qemu-cortex-m4")
SMALLEST = [1, 1]


@pytest.fixture(scope="module")
def sine(lesson_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(lesson_models["sine"], tmp_path_factory.mktemp("build") / "sine"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "widths"),
    [
        pytest.param(
            board, widths, marks=[] if (board == "qemu-cortex-m4") == (widths == SMALLEST) else pytest.mark.nightly
        )
        for board in ("qemu-cortex-m4", "qemu-riscv32", "sim-uno")
        for widths in (SMALLEST, [8, 40, 40, 12])
    ],
)
def test_estimates_are_near_what_a_build_measures(tmp_path: Path, board: str, widths: list[int]) -> None:
    folder = compiled(tmp_path / "net", dense_network(3, widths))
    tflite = (folder / "model.tflite").read_bytes()
    chosen = find_board(board)
    (guess,) = inspect_model(tflite, "net.tflite", [chosen], folder)["boards"]
    assert not guess["exact"]
    built = build(chosen, folder)
    assert guess["flash_bytes"] == pytest.approx(built.flash_bytes, rel=0.15)
    assert guess["ram_bytes"] == pytest.approx(built.ram_bytes, rel=0.15)
    (known,) = inspect_model(tflite, "net.tflite", [chosen], folder)["boards"]
    assert (known["exact"], known["flash_bytes"], known["ram_bytes"]) == (True, built.flash_bytes, built.ram_bytes)
    assert known["fits"]


def test_a_model_that_is_too_big_is_told_by_how_much() -> None:
    document = inspect_model(dense_network(5, [64, 1024, 64]), "big.tflite", [find_board("sim-uno"), QEMU])
    uno, m4 = document["boards"]
    assert not uno["fits"]
    assert f"{uno['flash_bytes'] - 32256:,} B of flash" in uno["verdict"]
    assert m4["fits"]
    assert document["macs"] == 2 * 64 * 1024
    assert document["constant_bytes"] > 2 * 64 * 1024
    assert [op["macs"] for op in document["operators"]] == [64 * 1024] * 2


def test_inspect_needs_neither_tensorflow_nor_a_build(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(dense_network(5, [3, 4, 2]))
    program = (
        "import sys\nfrom tinyproof.cli.main import main\n"
        "main(['inspect', sys.argv[1], '--json'], standalone_mode=False)\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules), sorted(sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "net.tflite")]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
    document = json.loads(done.stdout)
    assert document["macs"] == 3 * 4 + 4 * 2
    assert {entry["board"] for entry in document["boards"]} >= {"qemu-cortex-m4", "sim-uno", "nano33ble", "esp32"}
    assert not (ROOT / "build" / "net").exists()


def test_inspect_prints_what_a_file_calls_itself_escaped(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(dense_network(5, [3, 4, 2]).replace(b"t", b"\x1b"))
    run = CliRunner().invoke(cli.main, ["inspect", str(tmp_path / "net.tflite"), "--tensors"])
    assert "\x1b" not in run.output
    (tmp_path / "bad.tflite").write_bytes(b"nothing")
    assert CliRunner().invoke(cli.main, ["inspect", str(tmp_path / "bad.tflite")]).exit_code == 4
    with pytest.raises(InputFileError, match=r"bad\.tflite"):
        inspect_model(b"nothing", "bad.tflite", [QEMU])


@pytest.mark.nightly
@pytest.mark.slow
def test_the_profile_adds_up_to_the_inference(sine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", sine.parent)
    before = build(QEMU, sine).elf.read_bytes()
    whole = check(QEMU, sine, None, PATIENT)
    run = CliRunner().invoke(cli.main, ["profile", "--model", "sine", "--json"])
    assert run.exit_code == 0, run.output
    document = json.loads(run.output)
    memory = read_manifest(sine).memory
    assert memory is not None
    assert sum(op["macs"] for op in document["operators"]) == memory.macs <= 16 + 256 + 16
    # Steps are called from a table, in the normal build one after the other: a few instructions apart.
    assert document["ticks"] == pytest.approx((whole.bits.ticks_min + whole.bits.ticks_max) / 2, rel=0.05)
    cycles = inference_cycles(QEMU, sine, sample_inputs(sine), PATIENT)
    assert document["cycles"] == pytest.approx(sum(cycles) / len(cycles), rel=0.05)
    assert sum(op["cycles"] for op in document["operators"]) == pytest.approx(document["cycles"], abs=2)
    assert sum(op["share"] for op in document["operators"]) == pytest.approx(1, abs=0.001)
    # The float model is at hand, so each layer has its ratio, and noise only grows here.
    ratios = [op["sqnr_db"] for op in document["operators"]]
    assert all(25 < ratio < 70 for ratio in ratios)
    assert json.loads((sine / "boards" / QEMU.name / "profile.json").read_text()) == document
    assert build(QEMU, sine).elf.read_bytes() == before, "profiling must leave the normal build alone"
    shown = CliRunner().invoke(cli.main, ["profile", "--model", "sine", "--no-noise"])
    assert shown.exit_code == 0
    assert "SQNR dB" not in shown.output
    assert f"insn, {document['cycles']:,} cycles" in shown.output
    assert "slowest  operator 1 (FULLY_CONNECTED)" in shown.output
    refused = CliRunner().invoke(cli.main, ["profile", "--model", "sine", "--board", "reference"])
    assert refused.exit_code == 2


def test_the_profiled_source_is_the_shipped_one(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "net", dense_network(9, [4, 6, 6, 6, 6, 6, 2]))  # deep enough for a shared kernel
    steps = write_profile(folder)
    assert len(steps) == 6
    shipped = (folder / "model_compiled.c").read_text().split("void model_run")[0].splitlines()
    profiled = (folder / "profile" / "model_profile.c").read_text().splitlines()
    assert [line for line in shipped if line not in profiled] == []
    paths = [f"-I{ENGINE}", f"-I{folder}", f"-I{folder / 'profile'}"]
    subprocess.run(
        ["gcc", *STRICT, "-fsyntax-only", *paths, str(folder / "profile" / "model_profile.c")], check=True, timeout=60
    )


def test_without_tensorflow_a_trained_build_is_profiled_without_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (compiled(tmp_path / "net", dense_network(3, [3, 2])) / "model.keras").touch()
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    monkeypatch.setattr("tinyproof.core.tensorflow_settings.TENSORFLOW", ("not_installed_here",))
    monkeypatch.setattr("tinyproof.profiling.profile_simulated", lambda *_: ([], []))
    done = CliRunner().invoke(cli.main, ["profile", "--model", "net", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["noise_samples"] is None
    assert 'pip install "tinyproof[train]"' in done.stderr
