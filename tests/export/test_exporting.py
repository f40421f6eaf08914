# SPDX-License-Identifier: Apache-2.0
"""The export stage as a whole: same input same bytes, honest reports, and one line for what users get wrong."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tinyproof.cli.verbs.export import command
from tinyproof.core import paths
from tinyproof.core.config import CheckConfig, ExportConfig
from tinyproof.core.errors import EXIT_USAGE, InputFileError, UsageError
from tinyproof.core.manifest import Manifest, QuantizationReport, read_manifest, stale_artefacts
from tinyproof.export.export import compile_model, export_model
from tinyproof.export.keras_quantizer import load_keras_model


def again(lesson_models: dict[str, Path], tmp_path: Path, name: str = "neuron", **config: Any) -> tuple[Path, Manifest]:
    """A second export of the same trained model in another folder of the same name."""
    folder = tmp_path / name
    folder.mkdir()
    for file in ("model.keras", "manifest.json"):
        shutil.copyfile(lesson_models[name] / file, folder / file)
    manifest = export_model(ExportConfig(**config), CheckConfig(points=(10.0, 4.0)), folder)
    return folder, manifest


@pytest.mark.parametrize("name", ["neuron", "wide"])
def test_exporting_twice_gives_the_same_bytes(lesson_models: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder, _ = again(lesson_models, tmp_path, name)
    for file in sorted(folder.iterdir()):
        if file.name != "manifest.json":
            assert file.read_bytes() == (lesson_models[name] / file.name).read_bytes(), file.name
        for place in (str(tmp_path), str(lesson_models[name].parent), str(paths.ROOT)):
            assert place.encode() not in file.read_bytes(), f"{file.name} names a folder of this machine"
    assert set(stale_artefacts(read_manifest(folder), folder)) <= {"trace.csv"}, "which was not copied"


@pytest.mark.parametrize("name", ["neuron", "sine"])
def test_the_float_curve_is_what_keras_answers(lesson_models: dict[str, Path], name: str) -> None:
    folder = lesson_models[name]
    x = read_manifest(folder).inputs[0]
    with (folder / "float.csv").open(newline="") as file:
        rows = [(int(row["x_q"]), float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]
    assert [x_q for x_q, _, _ in rows] == list(range(-154, 154)), "every int8 input, and a tenth beyond both ends"
    inputs = np.array([value for _, value, _ in rows])
    np.testing.assert_allclose(inputs, [x.scale * (x_q - x.zero_point) for x_q, _, _ in rows], rtol=1e-6)
    model = load_keras_model(folder / "model.keras")
    right = model.predict(inputs.astype(np.float32).reshape(-1, 1), verbose=0).reshape(-1)
    np.testing.assert_allclose([y for _, _, y in rows], right, rtol=1e-5, atol=1e-6)


def test_the_manifest_says_what_is_expected_and_why(lesson_models: dict[str, Path]) -> None:
    manifest = read_manifest(lesson_models["neuron"])
    assert [(e.x[0], e.y[0]) for e in manifest.expected][-1] == (10.0, 19.0)
    assert [e.source for e in manifest.expected] == ["training data"] * 6 + ["rule y = 2x - 1"]
    tolerance = manifest.tolerance
    assert tolerance is not None
    assert tolerance.value == pytest.approx(sum(tolerance.parts.values()))
    assert tolerance.parts["half an output step"] == pytest.approx(manifest.outputs[0].scale / 2)
    assert tolerance.value < 2 * manifest.outputs[0].scale + tolerance.parts["training error on the expected points"]
    assert manifest.model_id == manifest.artefacts["model.tflite"].sha256[:16]


def test_answers_of_the_reference_keep_the_tolerance_and_the_tolerance_can_fail(lesson_models: dict[str, Path]) -> None:
    manifest = read_manifest(lesson_models["neuron"])
    vectors = json.loads((lesson_models["neuron"] / "vectors.json").read_text())["vectors"]
    x_tensor, y_tensor = manifest.inputs[0], manifest.outputs[0]
    errors = []
    for expected in manifest.expected:
        q = min(max(round(expected.x[0] / x_tensor.scale) + x_tensor.zero_point, -128), 127)
        y_q = int.from_bytes(bytes.fromhex(vectors[q + 128]["out"]), signed=True)
        errors.append(abs(y_tensor.scale * (y_q - y_tensor.zero_point) - expected.y[0]))
    assert manifest.tolerance is not None
    assert max(errors) <= manifest.tolerance.value
    assert max(errors) + 2 * y_tensor.scale > manifest.tolerance.value, "two steps off would pass unseen"


def test_a_range_too_small_for_the_questions_saturates_and_says_so(
    lesson_models: dict[str, Path], tmp_path: Path
) -> None:
    _, wide_enough = again(lesson_models, tmp_path)
    assert isinstance(wide_enough.quantization, QuantizationReport)
    assert (wide_enough.quantization.input_clip_share, wide_enough.quantization.output_clip_share) == (0.0, 0.0)
    assert wide_enough.quantization.worst_error < 2 * wide_enough.outputs[0].scale
    (tmp_path / "narrow").mkdir()
    _, narrow = again(lesson_models, tmp_path / "narrow", low=-1.0, high=4.0)
    x_tensor = narrow.inputs[0]
    assert x_tensor.scale * (127 - x_tensor.zero_point) < 4.5, "calibrated for x up to 4, so 10 cannot be asked"
    assert isinstance(narrow.quantization, QuantizationReport)
    assert (wide_enough.quantization.questions_beyond, narrow.quantization.questions_beyond) == ([], [10.0])


def test_compiling_needs_no_tensorflow(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    shutil.copyfile(lesson_models["sine"] / "model.tflite", tmp_path / "model.tflite")
    code = (
        "import sys; from pathlib import Path; from tinyproof.export.export import compile_model; "
        f"from tinyproof.core.manifest import Manifest; compile_model(Path({str(tmp_path)!r}), Manifest('m')); "
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=paths.ROOT)
    assert (tmp_path / "model_compiled.c").read_bytes() == (lesson_models["sine"] / "model_compiled.c").read_bytes()


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, -2.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_range_that_is_none_is_refused(lesson_models: dict[str, Path], low: float, high: float) -> None:
    with pytest.raises(UsageError, match="--low and --high"):
        export_model(ExportConfig(low=low, high=high), CheckConfig(), lesson_models["neuron"])


def test_a_damaged_tflite_and_a_missing_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"model\.tflite: No such file"):
        compile_model(tmp_path, Manifest("m"))
    (tmp_path / "model.tflite").write_bytes(b"not a model")
    with pytest.raises(InputFileError, match=r"model\.tflite: not a usable"):
        compile_model(tmp_path, Manifest("m"))


def test_a_damaged_keras_file_is_named(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    shutil.copyfile(lesson_models["neuron"] / "manifest.json", tmp_path / "manifest.json")
    (tmp_path / "model.keras").write_bytes(b"PK not really")
    with pytest.raises(InputFileError, match=r"model\.keras: "):
        export_model(ExportConfig(), CheckConfig(), tmp_path)


@pytest.fixture
def build_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.setattr(paths, "CURRENT_FILE", tmp_path / "current")
    monkeypatch.setattr(paths, "CONFIG_FILE", tmp_path / "tinyproof.toml")
    return tmp_path


def test_the_verb_prints_a_line_and_marks_the_model_current(lesson_models: dict[str, Path], build_root: Path) -> None:
    shutil.copytree(lesson_models["neuron"], build_root / "neuron")
    result = CliRunner().invoke(command, [])
    assert result.exit_code == 0, result.output
    size = (build_root / "neuron" / "model.tflite").stat().st_size
    manifest = read_manifest(build_root / "neuron")
    first, second, third, next_ = result.output.splitlines()
    assert first == f"export   {f'model.tflite {size:,} B':<24}int8, x in [-10, 10]    id {manifest.model_id}"
    assert second.startswith("         step of y ")
    assert third == "         nothing in the asked range saturates"
    assert next_ == "next     ./tinyproof build --model neuron"
    assert (build_root / "current").read_text() == "neuron\n"
    assert "SATURATES at questions that will be asked: x = 10;" in CliRunner().invoke(command, ["--high", "4"]).output
    printed = json.loads(CliRunner().invoke(command, ["--json", "--low", "-4"]).output)
    assert (printed["quantization"]["low"], printed["quantization"]["high"]) == (-4.0, 10.0)


def test_the_verb_says_what_to_run_first(build_root: Path) -> None:
    result = CliRunner().invoke(command, ["--model", "nothing"])
    assert result.exit_code == EXIT_USAGE
    assert f"{build_root}/nothing has no model.keras; run ./tinyproof train first" in result.output
