# SPDX-License-Identifier: Apache-2.0
"""Samples that a user brings: read or refused by line, and asked of a board."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from support.compiled import compiled
from support.tflite_writer import Model, dense_network

import tinyproof.core.paths
from tinyproof.cli import main as cli
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import read_dataset
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.manifest import TensorSpec
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.arithmetic import dequantize, quantize, saturates
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.bits import KEPT_DIVERGENCES
from tinyproof.host.check_dataset import check_dataset, quantize_samples

PATIENT = CheckConfig(timeout_s=5.0)
REFERENCE = find_board("reference")
THREE = (TensorSpec("x", [1, 3], "int8", 1.0, 0, 3),)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("net") / "net", dense_network(7, [3, 5, 2]))


@pytest.fixture
def folder(net: Path, tmp_path: Path) -> Path:
    """One for each test, which may change it."""
    return Path(shutil.copytree(net, tmp_path / "net"))


def test_npz_and_csv_say_the_same(tmp_path: Path) -> None:
    x = np.array([[1, 2.5, -3], [0, 1e-3, 4]], np.float32)
    np.savez(tmp_path / "a.npz", x=x.reshape(2, 3, 1), y=[1, 0])
    (tmp_path / "a.csv").write_text("x0,label,x1,x2\n1,1,2.5,-3\n\n0,0,1e-3,4\n")
    for name in ("a.npz", "a.csv"):
        dataset = read_dataset(tmp_path / name, THREE)
        np.testing.assert_array_equal(dataset.x, x)
        np.testing.assert_array_equal(dataset.y, [1, 0])
        assert (len(dataset), dataset.quantized, dataset.y.dtype) == (2, False, np.int64)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b,c\n1,2\n", r"d\.csv:2: 2 cells where the header has 3"),
        ("a,b,c\n1,2,x\n", r"d\.csv:2: 'x' is not a finite number"),
        ("a,b,c\n1,2,nan\n", r"d\.csv:2: 'nan' is not a finite number"),
        ("a,b,c\n1,2,1e39\n", r"d\.csv:2: '1e39' is not a finite number"),
        ("a,b,c,y\n1,2,3,4\n1,2,3,1_000\n", r"d\.csv:3: '1_000' is not a finite number"),
        ("a,b,c,y\n1,2,3,inf\n", r"d\.csv:2: 'inf' is not a finite number"),
        ("a,b,c,y\n1,2,3,1e39\n", r"d\.csv:2: '1e39' is not a finite number"),
        ("a,b\n1,2\n", "2 values in each sample, the model takes 3"),
        ("a,b,c\n", "holds no samples"),
        ("", "holds no samples"),
        ("a,y,b,label,c\n1,2,3,4,5\n", "two columns of answers"),
        ('a,b,c\n"1,2,3\n', r"d\.csv:2: "),
    ],
)
def test_a_bad_csv_is_refused_by_line(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(InputFileError, match=says) as caught:
        read_dataset(tmp_path / "d.csv", THREE)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"z": [1]}, "needs one array, x .* it has: z"),
        ({"x": [[1, 2, 3]], "x_q": [[1, 2, 3]]}, "needs one array"),
        ({"x": [["a", "b", "c"]]}, "must be numbers"),
        ({"x": [[1, 2, float("inf")]]}, "sample 0 holds a value that is no finite float32"),
        ({"x_q": [[1, 2, 128]]}, "integers from -128 to 127"),
        ({"x_q": [[1.0, 2, 3]]}, "integers from -128 to 127"),
        ({"x": [[1, 2, 3]], "y": [1, 2]}, "one row for each of the 1 samples"),
        ({"x": [[1, 2, 3]], "y": [float("nan")]}, "not finite"),
        ({"x": [[1, 2, 3]] * 2, "y": ["5", "1_000"]}, r"d\.npz: y: sample 1: '1_000' is not a finite number"),
        ({"x": 3.0}, r"shape \[N, ...\]"),
    ],
)
def test_a_bad_npz_is_refused_by_array(tmp_path: Path, arrays: dict[str, object], says: str) -> None:
    content: dict[str, Any] = {name: np.array(value) for name, value in arrays.items()}
    np.savez(tmp_path / "d.npz", **content)
    with pytest.raises(InputFileError, match=says):
        read_dataset(tmp_path / "d.npz", THREE)


def test_other_arrays_may_be_of_any_kind(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=[[1, 2, 3]], y=[1], meta=np.array([{}], object))
    assert read_dataset(tmp_path / "d.npz", THREE).y.tolist() == [1]
    np.savez(tmp_path / "z.npz", z=[1], meta=np.array([{}], object))
    with pytest.raises(InputFileError, match="it has: z, meta"):
        read_dataset(tmp_path / "z.npz", THREE)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.array([print], object))
    with pytest.raises(InputFileError, match=r"not a usable \.npz"):
        read_dataset(tmp_path / "d.npz", THREE)
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        archive.writestr("x", b"no array")
    with pytest.raises(InputFileError, match=r"raw\.npz: x is no array; write it with numpy\.savez"):
        read_dataset(tmp_path / "raw.npz", THREE)
    for name, content in (("e.npz", b"PK\3\4"), ("f.npz", b""), ("g.txt", b"1,2")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputFileError, match=name):
            read_dataset(tmp_path / name, THREE)
    with pytest.raises(InputFileError, match="No such file"):
        read_dataset(tmp_path / "none.npz", THREE)


def test_samples_are_quantized_as_the_device_does(tmp_path: Path) -> None:
    values = np.random.default_rng(1).uniform(-20, 20, (200, 3)).astype(np.float32)
    values[:128, 0] = (np.arange(128) - 64 + 0.5) * 0.125  # ties
    np.savez(tmp_path / "d.npz", x=values)
    tensor = TensorSpec("x", [1, 3], "int8", 0.125, 5, 3)
    ours, saturated = quantize_samples(read_dataset(tmp_path / "d.npz", THREE), TensorLayout((tensor,)), 200)
    assert ours == [bytes(quantize(float(value), 0.125, 5) & 0xFF for value in sample) for sample in values]
    assert saturated == sum(any(saturates(float(value), 0.125, 5) for value in sample) for sample in values)


def test_a_board_is_asked_and_judged_by_the_labels(folder: Path, tmp_path: Path) -> None:
    manifest_x = json.loads((folder / "manifest.json").read_text())["outputs"][0]
    reference = Reference((folder / "model.tflite").read_bytes())
    q = np.random.default_rng(2).integers(-128, 128, (30, 3)).astype(np.int8)
    outputs = [np.frombuffer(reference.run(sample.tobytes()), np.int8) for sample in q]
    labels = np.array([output.argmax() for output in outputs])
    labels[:6] = 1 - labels[:6]
    np.savez(tmp_path / "d.npz", x_q=q, y=labels)
    seen: list[tuple[float, int]] = []
    dataset = read_dataset(tmp_path / "d.npz", THREE)
    report = check_dataset(REFERENCE, folder, None, PATIENT, dataset, 20, lambda done, of: seen.append((done, of)))
    assert report.proven
    assert (report.bits.checked, report.samples_in_file, report.bits.different) == (20, 30, 0)
    assert report.accuracy is not None
    assert [report.accuracy[key] for key in ("kind", "correct", "share")] == ["class", 14, 0.7]
    answered = [int(output.argmax()) for output in outputs[:20]]
    assert report.accuracy["answered"] == answered
    assert report.accuracy["labels"] == labels[:20].tolist()
    pairs = list(zip(labels[:20].tolist(), answered, strict=True))
    counts = [[pairs.count((label, answer)) for answer in range(2)] for label in range(2)]
    assert report.accuracy["confusion"] == counts
    assert seen[-1] == (20, 20)
    assert json.loads((folder / "boards" / "reference" / "dataset.json").read_text()) == report.as_dict()

    real = [[dequantize(int(v), manifest_x["scale"], manifest_x["zero_point"]) + 0.5 for v in out] for out in outputs]
    np.savez(tmp_path / "r.npz", x_q=q, y=real)
    report = check_dataset(REFERENCE, folder, None, PATIENT, read_dataset(tmp_path / "r.npz", THREE))
    assert report.accuracy is not None
    assert report.accuracy["rmse"] == pytest.approx(0.5, abs=1e-5)
    np.savez(tmp_path / "b.npz", x_q=q, y=labels + 5)
    with pytest.raises(UsageError, match="the model knows 2 classes"):
        check_dataset(REFERENCE, folder, None, PATIENT, read_dataset(tmp_path / "b.npz", THREE))


def test_a_board_that_is_always_wrong_is_counted_whole_and_kept_in_part(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right: Callable[[Reference, bytes], bytes] = Reference.run
    monkeypatch.setattr(Reference, "run", lambda self, x_q: bytes(b ^ 1 for b in right(self, x_q)))
    q = np.random.default_rng(2).integers(-128, 128, (150, 3)).astype(np.int8)
    np.savez(tmp_path / "d.npz", x_q=q)
    report = check_dataset(REFERENCE, folder, None, PATIENT, read_dataset(tmp_path / "d.npz", THREE))
    assert (report.bits.checked, report.bits.different, report.bits.same) == (150, 150, 0)
    assert [divergence.index for divergence in report.bits.divergences] == list(range(KEPT_DIVERGENCES))
    assert report.mismatch().startswith("150 of 150 samples differ on reference; first: input 0, x_q = [")
    document = json.loads((folder / "boards" / "reference" / "dataset.json").read_text())
    # What programs read: a key may be added, none may go.
    assert document.keys() >= {
        *("model", "model_id", "board", "engine", "file", "sha256", "samples_in_file", "reference", "samples"),
        *("different", "input_saturated", "divergences", "layer_note", "accuracy", "ticks_min", "ticks_max"),
        *("tick_unit", "seconds", "round_trips", "round_trips_per_second", "repeats", "resets", "proven"),
        *("bits_identical", "verdict"),
    }


def test_a_board_with_one_wrong_bit_is_found(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The golden reference of the host is bent instead of the board's answer: they differ all the same."""
    right: Callable[[Reference, bytes], bytes] = Reference.run
    q = np.random.default_rng(2).integers(-128, 128, (9, 3)).astype(np.int8)
    wrong = q[4].tobytes()

    def bent(self: Reference, x_q: bytes) -> bytes:
        y = right(self, x_q)
        return y[:1] + bytes([y[1] ^ 1]) if x_q == wrong else y

    monkeypatch.setattr(Reference, "run", bent)
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", folder.parent)
    np.savez(tmp_path / "d.npz", x_q=q)
    arguments = ["check", "--model", "net", "--board", "reference", "--dataset", str(tmp_path / "d.npz")]
    run = CliRunner().invoke(cli.main, [*arguments, "--junit", str(tmp_path / "d.xml")])
    assert run.exit_code == 1, run.output
    failing = [case for case in ElementTree.parse(tmp_path / "d.xml").getroot().iter("testcase") if len(case)]
    assert [case.get("name") for case in failing] == ["bits of 9 samples"]
    assert "bits differ at input 4, x_q = [" in run.output
    assert "MISMATCH 8 of 9 samples bit-identical" in run.output
    assert "1 of 9 samples differ on reference" in run.output
    monkeypatch.undo()
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", folder.parent)
    fine = CliRunner().invoke(cli.main, [*arguments, "--limit", "3"])
    assert fine.exit_code == 0
    assert "3 of 3 samples bit-identical to TFLite Micro" in fine.output
    assert CliRunner().invoke(cli.main, ["check", "--limit", "3"]).exit_code == 2


@pytest.mark.parametrize(("loud", "label"), [(1, "proof"), (9, "DOUBTFUL")])
def test_the_verdict_carries_saturation(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loud: int, label: str
) -> None:
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", folder.parent)
    x = np.zeros((10, 3), np.float32)
    x[:loud] = 1e6
    np.savez(tmp_path / "d.npz", x=x)
    arguments = ["check", "--model", "net", "--board", "reference", "--dataset", str(tmp_path / "d.npz")]
    run = CliRunner().invoke(cli.main, [*arguments, "--junit", str(tmp_path / "d.xml")])
    assert run.exit_code == 0, run.output  # bits are what the exit code stands for
    verdict = " ".join(run.output[run.output.index(label) :].split())
    assert f"10 of 10 samples bit-identical to TFLite Micro; but {loud} of 10 saturate" in verdict
    document = json.loads((folder / "boards" / "reference" / "dataset.json").read_text())
    doubtful = label == "DOUBTFUL"
    assert document["bits_identical"] is True
    assert (document["verdict"], document["proven"]) == (("doubtful", False) if doubtful else ("proven", True))
    suite = ElementTree.parse(tmp_path / "d.xml").getroot()
    assert [suite.get(key) for key in ("tests", "failures", "skipped")] == ["2", "0", str(int(doubtful))]
    assert all("9 of 10 saturate" in case.get("message", "") for case in suite.iter("skipped"))


def test_a_model_of_two_inputs_takes_an_array_of_each_name(tmp_path: Path) -> None:
    ends = [
        TensorSpec("left", [1, 2], "int8", 0.5, 3, 2),
        TensorSpec("serving_default_right:0", [1, 1], "int16", 2, 0, 2),
    ]
    np.savez(tmp_path / "real.npz", left=[[1.0, 2.0]], right=[[-8.0]])
    np.savez(tmp_path / "bits.npz", left_q=[[5, 7]], right_q=[[-4]])
    (tmp_path / "real.csv").write_text("a,b,c\n1,2,-8\n")
    for name in ("real.npz", "bits.npz", "real.csv"):
        samples = read_dataset(tmp_path / name, ends)
        assert quantize_samples(samples, TensorLayout(tuple(ends)), 1) == ([bytes([5, 7, 252, 255])], 0)
    np.savez(tmp_path / "mixed.npz", left=[[1.0, 2.0]], right_q=[[-4]])
    np.savez(tmp_path / "wide.npz", left_q=[[128, 0]], right_q=[[-4]])
    for name, says in (("mixed.npz", "needs 2 arrays, left, right"), ("wide.npz", "left_q must be integers from -128")):
        with pytest.raises(InputFileError, match=says):
            read_dataset(tmp_path / name, ends)


def test_the_float_model_is_asked_the_same_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build's float model is another one here, which the labels are right for."""
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    folder = compiled(tmp_path / "net", dense_network(7, [3, 5, 2]))
    model = Model()
    x, y = model.input((1, 3), dtype="float32"), model.tensor((1, 2), dtype="float32")
    weights = [[1.0, -2.0, 0.5], [-0.5, 1.5, 1.0]]
    operand = model.tensor((2, 3), values=[w for row in weights for w in row], dtype="float32")
    model.add("FULLY_CONNECTED", [x, operand, -1], [y])
    (folder / "model_float.tflite").write_bytes(model.build(y))
    samples = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=samples, y=(samples @ np.array(weights).T).argmax(1))
    asked = ["check", "--board", "reference", "--model", "net", "--dataset", str(tmp_path / "d.npz")]
    document = json.loads(CliRunner().invoke(cli.main, [*asked, "--json"]).stdout)
    assert document["float_accuracy"].items() >= {"kind": "class", "correct": 40, "share": 1.0}.items()
    assert document["accuracy"]["correct"] < 40
    (folder / "model_float.tflite").write_bytes(b"damaged")
    shown = CliRunner().invoke(cli.main, asked)
    assert shown.exit_code == 0
    assert "the float model was not asked: " in shown.stderr
    assert "float model;" not in shown.stdout


def test_a_remark_keeps_its_brackets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    monkeypatch.setattr("tinyproof.core.tensorflow_settings.TENSORFLOW", ("not_installed_here",))
    tflite = dense_network(7, [3, 5, 2])
    (compiled(tmp_path / "net", tflite) / "model_float.tflite").write_bytes(tflite)
    (tmp_path / "d.csv").write_text("1,2,3,0\n4,5,6,1\n")
    asked = ["check", "--board", "reference", "--model", "net", "--dataset", str(tmp_path / "d.csv")]
    done = CliRunner().invoke(cli.main, asked)
    assert done.exit_code == 0, done.output
    assert 'pip install "tinyproof[train]"' in done.stderr
