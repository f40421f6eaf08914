# SPDX-License-Identifier: Apache-2.0
"""Configuration, manifest and boards: what they accept, and how they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tinyproof.cli import main as cli
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import Expected, Manifest, TensorSpec, Tolerance, model_id, read_manifest, stale_artefacts


def test_no_file_means_the_lesson(tmp_path: Path) -> None:
    config = load_config(tmp_path / "tinyproof.toml")
    assert config == Config()
    assert (config.train.w, config.train.b, config.train.learning_rate, config.train.steps) == (10, -10, 0.01, 500)


def test_a_file_overlays_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "tinyproof.toml"
    path.write_text('board = "reference"\n[train]\nsteps = 20\nw = 3\n[check]\npoints = [1, 2.5]\n')
    config = load_config(path)
    assert config.board == "reference"
    assert (config.train.steps, config.train.w, config.train.b) == (20, 3.0, -10.0)
    assert isinstance(config.train.w, float)
    assert config.check.points == (1.0, 2.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[train]\nstep = 3\n", "did you mean train.steps?"),
        ("[train]\nsteps = true\n", "train.steps must be int"),
        ('[train]\nsteps = "x"\n', "train.steps must be int"),
        ("train = 3\n", "train must be a table"),
        ("[check]\npoints = 3\n", "check.points must be a list"),
        ('[check]\npoints = ["a"]\n', "check.points must be float"),
        ("[train\n", "line 1"),
        ("colour = 1\n", "unknown key colour"),
    ],
)
def test_a_bad_file_is_named_with_the_key(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "tinyproof.toml"
    path.write_text(text)
    with pytest.raises(InputFileError) as raised:
        load_config(path)
    assert says in raised.value.message
    assert raised.value.message.startswith("tinyproof.toml: ")
    assert raised.value.exit_code == 4


def manifest(build_dir: Path) -> Manifest:
    (build_dir / "model.tflite").write_bytes(b"abc")
    made = Manifest(
        "neuron",
        model_id(b"abc"),
        inputs=[TensorSpec("x", [1, 1], "int8", 0.5, -1, 1)],
        expected=[Expected([1.0], [2.0], "training data")],
        tolerance=Tolerance(0.5, {"step": 0.5}, "half a step"),
    )
    made.add_artefact(build_dir / "model.tflite")
    made.write(build_dir)
    return made


def test_the_manifest_survives_the_file(tmp_path: Path) -> None:
    written = manifest(tmp_path)
    assert read_manifest(tmp_path) == written
    assert written.model_id == "ba7816bf8f01cfea"  # SHA-256("abc") is a published test vector
    assert written.artefacts["model.tflite"].bytes == 3


def test_changed_and_missing_artefacts_are_stale(tmp_path: Path) -> None:
    made = manifest(tmp_path)
    assert stale_artefacts(made, tmp_path) == []
    (tmp_path / "model.tflite").write_bytes(b"abd")
    assert stale_artefacts(made, tmp_path) == ["model.tflite"]
    (tmp_path / "model.tflite").unlink()
    assert stale_artefacts(made, tmp_path) == ["model.tflite"]


@pytest.mark.parametrize("text", [None, "{", "[]", '{"tinyproof": 99}'])
def test_a_missing_or_foreign_manifest_says_what_to_run(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match="export"):
        read_manifest(tmp_path)


def test_an_unknown_board_suggests_the_closest() -> None:
    with pytest.raises(UsageError, match="did you mean qemu-cortex-m4"):
        find_board("qemu-cortex-4")
    with pytest.raises(UsageError, match=r"boards: .*qemu-cortex-m4"):
        find_board("zzzzzz")


def test_exit_codes_reach_the_shell() -> None:
    run = CliRunner()
    assert run.invoke(cli.main, ["--help"]).exit_code == 0
    assert run.invoke(cli.main, ["nonsense"]).exit_code == 2
    unknown = run.invoke(cli.main, ["check", "--board", "nonsense"])
    assert unknown.exit_code == 2
    assert len(unknown.output.strip().splitlines()) == 1
