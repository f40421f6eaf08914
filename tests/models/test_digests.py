# SPDX-License-Identifier: Apache-2.0
"""A layer that is wrong where no answer shows it: the digests of a firmware that traces every layer do."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.compiled import compiled
from support.hidden_fault import cancelling_layers, shift_hidden_values

import tinyproof.core.paths
from tinyproof.cli import main as cli
from tinyproof.core.build_record import read_build_record
from tinyproof.core.errors import NoRoomError
from tinyproof.export.profile_codegen import SOURCE
from tinyproof.firmware import elf_tables
from tinyproof.firmware.elf_tables import ImageConstant, different_constants, model_constants

pytestmark = pytest.mark.traces

BOARD = "qemu-cortex-m4"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("digests") / "net", cancelling_layers())


@pytest.fixture
def folder(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One for each test, which changes it."""
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    return Path(shutil.copytree(net, tmp_path / "net"))


def run(*arguments: str) -> tuple[int, str]:
    shown = CliRunner().invoke(cli.main, [*arguments, "--model", "net", "--board", BOARD])
    return shown.exit_code, shown.output


def report_of(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "boards" / BOARD / "check.json").read_text())
    return document


def test_a_layer_that_no_answer_shows_is_a_mismatch(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift_hidden_values(folder, monkeypatch)
    assert run("build")[0] == 0
    code, shown = run("check", "--junit", str(tmp_path / "junit.xml"))
    assert code == 1, shown
    found = report_of(folder)
    assert (found["bits_different"], found["bits_identical"], found["proven"]) == (0, True, False)
    digests = found["digests"]
    assert (digests["first_input"], digests["first_layer"]) == (0, "operator 0 (FULLY_CONNECTED)")
    assert digests["different"] == digests["inputs"] == 32
    words = " ".join(shown.split())
    assert "DIFFERENT from operator 0 (FULLY_CONNECTED) on for 32 inputs" in words
    assert "all answers are right, but from operator 0 (FULLY_CONNECTED) on" in words
    assert "MISMATCH" in shown
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()


def test_a_sound_build_has_equal_digests_and_a_firmware_that_costs_more(folder: Path) -> None:
    assert run("build")[0] == 0
    code, shown = run("check")
    assert code == 0, shown
    digests = report_of(folder)["digests"]
    assert (digests["layers"], digests["outputs"], digests["different"]) == (2, 2, 0)
    plain, traced = (read_build_record(folder / "boards" / BOARD / part) for part in ("", "profile"))
    assert plain is not None
    assert traced is not None
    assert digests["flash_bytes"] == traced.flash_bytes - plain.flash_bytes > 0
    assert digests["seconds"] > 0
    images = tuple(folder / "boards" / BOARD / part / "firmware.elf" for part in ("", "profile"))
    names, different = different_constants(*images)
    assert (digests["constants"], digests["constants_different"]) == (len(names), different) == (3, [])
    assert "3 tables and parameters in both firmwares the same" in " ".join(shown.split())
    image = bytearray(images[0].read_bytes())
    image[model_constants(images[0])[names[-1]].offset] ^= 1
    images[0].write_bytes(image)
    assert different_constants(*images) == (names, names[-1:])
    record = dataclasses.replace(plain, elf_sha256=hashlib.sha256(image).hexdigest())
    record.write(folder / "boards" / BOARD)
    code, shown = run("check")
    assert code == 1, shown
    found = report_of(folder)
    assert found["bits_different"] or found["digests"]["constants_different"] == names[-1:]


@pytest.mark.nightly
def test_a_tracing_firmware_that_is_none_of_this_build_is_not_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("build")[0] == 0
    traced = folder / "boards" / BOARD / "profile"
    image = (traced / "firmware.elf").read_bytes()

    def note() -> str:
        assert run("check")[0] == 0
        found = report_of(folder)
        assert found["digests"] is None
        return str(found["digests_note"])

    (traced / "firmware.elf").write_bytes(image + b"\n")
    assert "is not the file that was built" in note()
    (traced / "firmware.elf").write_bytes(image)
    record = read_build_record(traced)
    assert record is not None
    record.sources[SOURCE] = "0" * 64
    record.write(traced)
    assert f"was built from another {SOURCE}" in note()

    def no_room(*_: object) -> None:
        raise NoRoomError("the firmware does not fit")

    monkeypatch.setattr("tinyproof.firmware.platformio_build.build_profile", no_room)
    (traced / "firmware.elf").unlink()
    assert run("build")[0] == 0, "the firmware that is used fits"
    assert f"is missing; ./tinyproof build --board {BOARD}" in note()


def test_parameters_of_operators_that_take_turns_may_point_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def image(table: int, units: int) -> dict[str, ImageConstant]:
        parameters = table.to_bytes(4, "little") + units.to_bytes(4, "little")
        return {"op2_0_weights": ImageConstant(table, 0, b"\1\2"), "op2_0_rows1": ImageConstant(64, 0, parameters)}

    images = {Path("ours"): image(256, 5), Path("moved"): image(512, 5), Path("wrong"): image(512, 6)}
    monkeypatch.setattr(elf_tables, "model_constants", images.__getitem__)
    names = ["op2_0_rows1", "op2_0_weights"]
    assert different_constants(Path("ours"), Path("moved")) == (names, [])
    assert different_constants(Path("ours"), Path("wrong")) == (names, names[:1])
