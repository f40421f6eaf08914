# SPDX-License-Identifier: Apache-2.0
"""The manifest and the record of a build: they survive the file, and whatever damages them is named in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support.contracts import assert_one_plain_line, json_values, manifests, places

from tinyproof.cli import main as cli
from tinyproof.core import paths
from tinyproof.core.build_record import BuildRecord, RamUse, Size, read_build_record
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import (
    FORMAT,
    Expected,
    Manifest,
    TensorSpec,
    Tolerance,
    model_id,
    read_manifest,
    stale_artefacts,
)
from tinyproof.core.origin import Neuron, NeuronTraining, TrainingPoints
from tinyproof.core.paths import ROOT


def manifest(build_dir: Path) -> Manifest:
    (build_dir / "model.tflite").write_bytes(b"abc")
    made = Manifest(
        "neuron",
        model_id(b"abc"),
        inputs=[TensorSpec("x", [1, 1], "int8", 0.5, -1, 1)],
        training=NeuronTraining(
            kind="neuron",
            w=2.0,
            b=-1.0,
            rmse_first=13.0,
            rmse_last=0.1,
            learning_rate=0.01,
            steps=3,
            guess=Neuron(10.0, -10.0),
            data=TrainingPoints("own.csv", "", [1.0], [2.0]),
            rule=None,
        ),
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


GONE = object()


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("tolerance", GONE, "missing key tolerance"),
        ("tolerence", None, "unknown key tolerence; did you mean tolerance?"),
        ("tolerance", 0.5, "tolerance must be a table, not 0.5"),
        ("inputs.0.scale", "0.5", "inputs[0].scale must be float, not '0.5'"),
        ("inputs.0.scale", 0, "inputs[0].scale must be positive and finite, not 0.0"),
        ("inputs.0.zero_point", 2**31, "inputs[0].zero_point must be int of 32 bits, not 2147483648"),
        ("inputs.0.zero_point", 2**64, "inputs[0].zero_point must be int of 64 bits, not one of 65 bits"),
        ("inputs.0.zero_pont", 1, "unknown key inputs[0].zero_pont; did you mean inputs[0].zero_point?"),
        ("inputs.0.bytes", GONE, "missing key inputs[0].bytes"),
        ("inputs.0.bytes", 0, "inputs[0].bytes must be at least 1, not 0"),
        ("inputs", "abc", "inputs must be a list, not 'abc'"),
        ("inputs.0", 3, "inputs[0] must be a table, not 3"),
        ("artefacts.trace", {"sha256": "", "bytes": True}, "artefacts.trace.bytes must be int, not True"),
        ("training.kind", "nueron", "training.kind must be neuron, not 'nueron'; did you mean neuron?"),
        ("training.data.x", [1.0, None], "training.data.x must be float, not None"),
        ("training.guess.W", 1.0, "unknown key training.guess.W; did you mean training.guess.w?"),
        ("training.learning_rate", GONE, "missing key training.learning_rate"),
        ("source", {"file": "a"}, "missing key source.kind"),
        ("quantization", {"low": 0.0}, "missing key quantization.high"),
        ("quantization", {"low": 0.0, "high": 1.0, "step_y": 1.0}, "unknown key quantization.step_y"),
        ("memory", {"macs": 1}, "missing key memory.arena_bytes"),
        ("seeds.train", 1e3, "seeds.train must be int, not 1000.0"),
    ],
)
def test_a_mistyped_manifest_says_which_key_and_what_to_run(
    tmp_path: Path, path: str, value: object, says: str
) -> None:
    manifest(tmp_path)
    file = tmp_path / "manifest.json"
    document = json.loads(file.read_text())
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    holder = document
    for step in way:
        holder = holder[step]
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    file.write_text(json.dumps(document))
    with pytest.raises(UsageError) as raised:
        read_manifest(tmp_path)
    assert raised.value.message.startswith(f"{tmp_path}/manifest.json is damaged ({says}")
    assert "; run ./tinyproof train and ./tinyproof export again" in raised.value.message
    assert_one_plain_line(raised.value.message)
    assert raised.value.exit_code == 2


@settings(deadline=None)
@given(manifests)
def test_every_manifest_survives_the_file(tmp_path_factory: pytest.TempPathFactory, made: Manifest) -> None:
    folder = tmp_path_factory.mktemp("any")
    made.write(folder)
    first = (folder / "manifest.json").read_bytes()
    read = read_manifest(folder)
    assert read == made
    read.write(folder)
    assert (folder / "manifest.json").read_bytes() == first


@settings(deadline=None)
@given(manifests, st.data())
def test_no_change_of_a_manifest_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, made: Manifest, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    made.write(folder)
    path = folder / "manifest.json"
    document = json.loads(path.read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(places(document)))
        match data.draw(st.sampled_from(["value", "missing", "key"])):
            case "value":
                holder[key] = data.draw(json_values)
            case "missing":
                del holder[key]
            case "key" if isinstance(holder, dict):
                holder[data.draw(st.text(max_size=8))] = holder.pop(key)
    path.write_text(json.dumps(document))
    refused_in_one_line(folder)


@settings(deadline=None)
@given(manifests, st.data())
def test_no_damage_to_the_bytes_of_a_manifest_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, made: Manifest, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    made.write(folder)
    path = folder / "manifest.json"
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    until = min(len(content), at + data.draw(st.integers(0, 9)))
    path.write_bytes(content[:at] + data.draw(st.binary(max_size=4)) + content[until:])
    refused_in_one_line(folder)


def refused_in_one_line(folder: Path) -> None:
    """Either it is still a manifest, or the user reads one line."""
    refusal = None
    try:
        read_manifest(folder)
    except UsageError as error:
        refusal = error.message
    if refusal is not None:
        assert_one_plain_line(refusal)
        assert "export" in refusal


def test_a_mistyped_manifest_is_one_line_for_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    folder = tmp_path / "neuron"
    folder.mkdir()
    manifest(folder)
    text = (folder / "manifest.json").read_text().replace('"zero_point"', '"zeropoint"')
    (folder / "manifest.json").write_text(text)
    for verb in (["check", "--board", "reference"], ["report"], ["watch"]):
        shown = CliRunner().invoke(cli.main, verb)
        assert shown.exit_code == 2, verb
        assert shown.output.splitlines()[-1].startswith(
            f"Error: {folder}/manifest.json is damaged (unknown key inputs[0].zeropoint; did you mean"
        )


def test_a_record_of_a_build_survives_the_file(tmp_path: Path) -> None:
    assert read_build_record(tmp_path) is None
    layers = {"engine": Size(1, 0), "core": Size(2, 2)}
    made = BuildRecord(
        "sim-uno", "compiled", "0" * 16, 3, 2, 1, 0, layers, RamUse(0, 0, 0, 0, 1, 1), 90, "", "0" * 64, {}
    )
    made.write(tmp_path)
    assert read_build_record(tmp_path) == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[]", "must be a table, not a list"),
        ('{"model_id": 3}', "must be str, not 3"),
        ('{"flash": 3}', "unknown key flash"),
    ],
)
def test_a_damaged_record_of_a_build_says_what_to_run(tmp_path: Path, text: str, says: str) -> None:
    folder = tmp_path / "sim-uno"
    folder.mkdir()
    (folder / "build.json").write_text(text)
    with pytest.raises(UsageError) as raised:
        read_build_record(folder)
    assert raised.value.message.startswith("sim-uno/build.json is damaged (")
    assert says in raised.value.message
    assert "./tinyproof build --board sim-uno" in raised.value.message
    assert_one_plain_line(raised.value.message)


@pytest.mark.parametrize("file", sorted((ROOT / "tests/manifests").glob("*.json")), ids=lambda file: file.stem)
def test_manifests_of_earlier_releases_are_read(tmp_path: Path, file: Path) -> None:
    """As they were written, but for most of their expected answers; a release adds its own to the folder, and none is
    ever changed (docs/versions.md)."""
    (tmp_path / "manifest.json").write_bytes(file.read_bytes())
    document = json.loads(file.read_text())
    assert document.pop("tinyproof") == FORMAT
    assert_holds(read_manifest(tmp_path).as_dict(), document)


def assert_holds(read: object, written: object) -> None:
    """What was written is there, beside what later releases have added."""
    if isinstance(written, dict):
        assert isinstance(read, dict)
        for key, value in written.items():
            assert_holds(read[key], value)
    else:
        assert read == written
