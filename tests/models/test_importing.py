# SPDX-License-Identifier: Apache-2.0
"""Models that somebody brought: each kind becomes a build that proves, or is refused with the remedy."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support.native import different_bits
from support.tflite_writer import dense_network

import tinyproof.core.paths
from tinyproof.builds import check_new_name
from tinyproof.cli import main as cli
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import Manifest, QuantizationReport, read_manifest
from tinyproof.core.model_file import build_name, find_model_file
from tinyproof.core.paths import ROOT
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export import converter_process
from tinyproof.export.calibration import Calibration
from tinyproof.export.import_model import import_model, is_current

MAKE = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, numpy
import tensorflow as tf
folder = sys.argv[1]
keras.utils.set_random_seed(1)
layers = keras.layers
model = keras.Sequential([
    keras.Input((4, 3, 1)), layers.Flatten(), layers.Dense(8, "relu"), layers.Dense(3, "softmax")])
model.save(folder + "/net.keras")
model.export(folder + "/saved")
open(folder + "/float.tflite", "wb").write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
wide = keras.Sequential([keras.Input((64,)), layers.Dense(32, "relu"), layers.Dense(2)])
def converted(name, **options):
    converter = tf.lite.TFLiteConverter.from_keras_model(wide)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    for key, value in options.items():
        setattr(converter.target_spec if key.startswith("supported") else converter, key, value)
    open(folder + "/" + name + ".tflite", "wb").write(converter.convert())
converted("dynamic")
converted("half", supported_types=[tf.float16])
converted("unsigned", representative_dataset=lambda: ([numpy.ones((1, 64), "float32") * i] for i in range(9)),
    inference_input_type=tf.uint8, inference_output_type=tf.uint8)
one = keras.Sequential([keras.Input((1,)), layers.Dense(4, "tanh"), layers.Dense(1)])
one.save(folder + "/one.keras")
hostile = keras.Sequential([keras.Input((2,)), layers.Lambda(lambda x: x + 1)])
hostile.save(folder + "/hostile.keras")
tf.saved_model.save(tf.Module(), folder + "/empty")
class Reads(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([1, 2], tf.float32)])
    def __call__(self, x):
        return x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32)
reads = Reads()
tf.saved_model.save(reads, folder + "/reads", signatures=reads.__call__)
x = numpy.random.default_rng(0).normal(size=(64, 4, 3, 1)).astype("float32")
numpy.savez(folder + "/data.npz", x=x, y=model(x).numpy().argmax(1))
"""


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files as users have them, made in a process of their own."""
    folder = tmp_path_factory.mktemp("brought")
    subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True, capture_output=True, timeout=200)
    return folder


def bring(path: Path, build: Path, calibration: Calibration | None = None) -> Manifest:
    found = find_model_file(str(path))
    assert found is not None
    return import_model(found, build / found.name, calibration or Calibration())


@pytest.mark.parametrize("file", ["net.keras", "saved", "float.tflite"])
def test_every_float_kind_becomes_a_build_that_proves(brought: Path, tmp_path: Path, file: str) -> None:
    data = Calibration(brought / "data.npz")
    manifest = bring(brought / file, tmp_path, data)
    build = tmp_path / manifest.model
    assert different_bits(build) == 0
    assert manifest == read_manifest(build)
    assert manifest.training is None
    assert manifest.source is not None
    assert (manifest.source.file, len(manifest.source.sha256)) == (file, 64)
    assert manifest.source.calibration is not None
    assert manifest.source.calibration.samples == 64
    assert manifest.source.accuracy is not None
    assert manifest.source.accuracy.sqnr_db is not None
    assert manifest.source.accuracy.sqnr_db > 15
    assert manifest.inputs[0].bytes == 12
    # The float model's own answers, to be kept within what quantization costs on all samples.
    assert len(manifest.expected) == 16
    assert manifest.tolerance is not None
    assert 0 < manifest.tolerance.value < 0.1
    assert all(abs(sum(entry.y) - 1) < 1e-5 for entry in manifest.expected)
    found = find_model_file(str(brought / file))
    assert found is not None
    assert is_current(found, build, Calibration())
    assert is_current(found, build, data)
    assert not is_current(found, build, Calibration(brought / "net.keras"))


def test_operators_that_only_compute_a_shape_are_left_out(brought: Path, tmp_path: Path) -> None:
    """Flatten with an open batch, as TFLiteConverter.from_keras_model leaves it."""
    names = [operator.name for operator in read_graph((brought / "float.tflite").read_bytes()).operators]
    assert {"SHAPE", "PACK"} <= set(names)
    manifest = bring(brought / "float.tflite", tmp_path, Calibration(brought / "data.npz"))
    assert manifest.memory is not None
    assert manifest.memory.operators == ["RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]


def test_one_path_for_all_kinds_gives_the_same_answers(brought: Path, tmp_path: Path) -> None:
    data = Calibration(brought / "data.npz")
    answers = [[entry.y for entry in bring(brought / f, tmp_path, data).expected] for f in ("net.keras", "saved")]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)


def test_a_model_of_one_number_needs_a_range_only(brought: Path, tmp_path: Path) -> None:
    manifest = bring(brought / "one.keras", tmp_path, Calibration(low=-2.0, high=2.0))
    assert isinstance(manifest.quantization, QuantizationReport)
    assert manifest.quantization.input_clip_share == 0
    assert different_bits(tmp_path / "one") == 0
    lines = (tmp_path / "one" / "float.csv").read_text().splitlines()
    assert len(lines) == 1 + 26 + 256 + 26
    assert manifest.artefacts["float.csv"].bytes > 0


def test_an_int8_tflite_is_taken_as_it_is(tmp_path: Path) -> None:
    content = dense_network(7, [3, 5, 2])
    (tmp_path / "a b;c.tflite").write_bytes(content)
    manifest = bring(tmp_path / "a b;c.tflite", tmp_path)
    assert manifest.model == "a_b_c"
    assert (tmp_path / "a_b_c" / "model.tflite").read_bytes() == content
    assert (manifest.expected, manifest.tolerance) == ([], None)
    with pytest.raises(UsageError, match=r"computes in integers already \(int8 in, int8 out\)"):
        bring(tmp_path / "a b;c.tflite", tmp_path, Calibration(low=0.0, high=1.0))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("net.keras", r"--calibration FILE, a .npz with x \[N, 4, 3, 1\] or a .csv with 12 columns"),
        ("float.tflite", "--calibration FILE"),
        ("one.keras", "give --low and --high, or --calibration"),
        ("hostile.keras", r"hostile\.keras: layer 'lambda' \(Lambda\): it brings code, which is not run"),
        ("empty", "needs the signature serving_default"),
        ("dynamic.tflite", r"operator 0 \(FULLY_CONNECTED\): .* \(dynamic range quantization\): bring the float model"),
        ("half.tflite", r"operator 0 \(DEQUANTIZE\): its weights are float16, .*: bring the float model"),
        ("reads", "holds the operator ReadFile"),
    ],
)
def test_what_cannot_be_imported_says_what_to_do(brought: Path, tmp_path: Path, file: str, says: str) -> None:
    with pytest.raises(InputFileError, match=says) as caught:
        bring(brought / file, tmp_path)
    assert "\n" not in caught.value.message
    assert not any(tmp_path.iterdir())


def test_damaged_files_are_refused(brought: Path, tmp_path: Path) -> None:
    for name, content in (("a.keras", b"PK\3\4 nothing"), ("b.tflite", b"nothing"), ("c.keras", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputFileError, match=name):
            bring(tmp_path / name, tmp_path)
    with zipfile.ZipFile(tmp_path / "d.keras", "w") as archive:
        archive.writestr("config.json", '{"class_name": "Nothing"}')
    with pytest.raises(InputFileError, match="Keras cannot load it"):
        bring(tmp_path / "d.keras", tmp_path)
    for text in ("none.tflite", str(tmp_path), f"{tmp_path}/x"):
        with pytest.raises(InputFileError):
            find_model_file(text)


def test_a_file_says_what_it_is_already(brought: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"in integers already \(uint8 in, uint8 out\): leave out --calibration"):
        bring(brought / "unsigned.tflite", tmp_path, Calibration(brought / "data.npz"))
    assert [end.dtype for end in bring(brought / "unsigned.tflite", tmp_path).inputs] == ["uint8"]


@pytest.mark.parametrize("file", ["dynamic.tflite", "half.tflite", "float.tflite"])
def test_inspect_lists_what_it_cannot_take(brought: Path, file: str) -> None:
    run = CliRunner().invoke(cli.main, ["inspect", str(brought / file)])
    assert run.exit_code == 4
    assert "FULLY_CONNECTED" in run.stdout
    assert ("--calibration" in run.stderr, len(run.stderr.strip().splitlines())) == (True, 1)
    shown = CliRunner().invoke(cli.main, ["inspect", str(brought / file), "--json"])
    document = json.loads(shown.stdout)
    assert any(operator["float"] for operator in document["operators"])
    assert "--calibration" in document["refused"]


def test_a_file_of_many_units_is_refused_before_they_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 4], "dtype": "float32"}},
        {
            "class_name": "Dense",
            "config": {"name": "d", "units": 10**9, "activation": "relu"},
            "build_config": {"input_shape": [None, 4]},
        },
    ]
    with zipfile.ZipFile(tmp_path / "many.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": layers}}))
    monkeypatch.setattr(converter_process, "ask_tensorflow", None)
    with pytest.raises(InputFileError, match=r"layer 'd' \(Dense\): 4,000,000,000 values or more"):
        bring(tmp_path / "many.keras", tmp_path)


@pytest.mark.parametrize("name", ["net.pb", "net.onnx", "notes.md"])
def test_files_that_are_no_model_of_ours_are_no_builds_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(InputFileError, match=rf"{name}: not a model that tinyproof reads: give a \.tflite"):
        find_model_file(name)


def test_a_trained_build_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "neuron").mkdir()
    Manifest("neuron").write(tmp_path / "neuron")
    (tmp_path / "neuron.tflite").write_bytes(dense_network(1, [1, 1]))
    with pytest.raises(UsageError, match=r"holds a trained model; rename neuron\.tflite"):
        bring(tmp_path / "neuron.tflite", tmp_path)


def test_names_of_builds_cannot_lead_elsewhere() -> None:
    assert find_model_file("neuron") is None
    for stem, name in (("..", "_.."), (".x", "_.x"), ("current", "_current"), ("ä/ö", "_"), ("a" * 99, "a" * 64)):
        assert build_name(Path(f"{stem}.tflite").stem) == name


@pytest.mark.nightly
def test_the_command_line_takes_a_file_from_anywhere(
    brought: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    monkeypatch.setattr(tinyproof.core.paths, "CURRENT_FILE", tmp_path / "current")
    run = CliRunner()
    (tmp_path / "net8.tflite").write_bytes(dense_network(7, [3, 5, 2]))
    ran = run.invoke(cli.main, ["run", "--board", "reference", "--model", str(tmp_path / "net8.tflite")])
    assert ran.exit_code == 0, ran.output
    assert "256 of 256 chosen inputs bit-identical" in " ".join(ran.output.split())
    assert "no answers are known" in " ".join(ran.output.split())
    assert (tmp_path / "current").read_text() == "net8\n"
    misspelt = run.invoke(cli.main, ["run", "--board", "reference", "--model", "nett8"])
    assert misspelt.exit_code == 2
    assert "no build 'nett8'; did you mean net8?" in misspelt.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text("damaged")
    check_new_name("unlike")
    refused = run.invoke(cli.main, ["export", "--model", str(brought / "net.keras")])
    assert refused.exit_code == 4
    assert len(refused.output.strip().splitlines()) == 1
    assert run.invoke(cli.main, ["export", "--calibration", "x.npz"]).exit_code == 2
    shown = run.invoke(cli.main, ["export", "--json", "--model", str(tmp_path / "net8.tflite")])
    assert json.loads(shown.output)["source"]["file"] == "net8.tflite"


def test_an_int8_file_needs_no_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "net8.tflite").write_bytes(dense_network(7, [3, 5, 2]))
    program = (
        "import sys\nfrom pathlib import Path\nfrom tinyproof.export.calibration import Calibration\n"
        "from tinyproof.export.import_model import import_model\n"
        "from tinyproof.core.model_file import find_model_file\n"
        "found = find_model_file(sys.argv[1])\nimport_model(found, Path(sys.argv[2]), Calibration())\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "net8.tflite"), str(tmp_path / "net8")]
    subprocess.run(command, check=True, cwd=ROOT, timeout=60)
