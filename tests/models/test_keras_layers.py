# SPDX-License-Identifier: Apache-2.0
"""From Keras to a proven board: what people build models of, each in a small one with random weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import effort
from support.native import different_bits

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import InputFileError
from tinyproof.core.manifest import Manifest
from tinyproof.core.model_file import find_model_file
from tinyproof.export import converter_process
from tinyproof.export.calibration import Calibration
from tinyproof.export.import_model import import_model
from tinyproof.export.kept_child import KeptChild
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check

PATIENT = CheckConfig(timeout_s=30.0)
QEMU = find_board("qemu-cortex-m4")
MAKE = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, numpy as np
L = keras.layers
folder, *wanted = sys.argv[1:]
rng = np.random.default_rng(0)
keras.utils.set_random_seed(1)
def save(name, model, suffix="keras"):
    model.save(f"{folder}/{name}.{suffix}")
    np.savez(f"{folder}/{name}.npz", **{
        x.name if len(model.inputs) > 1 else "x": rng.integers(0, 10, (32, *x.shape[1:]))
        if "embedding" in name else rng.normal(size=(32, *x.shape[1:])).astype("float32") for x in model.inputs})
def seq(name, shape, *layers, suffix="keras"):
    if not wanted or name in wanted:
        save(name, keras.Sequential([keras.Input(shape), *layers]), suffix)
seq("lstm", (6, 4), L.LSTM(5, unroll=True), L.Dense(2))
seq("gru", (6, 4), L.GRU(5, unroll=True), L.Dense(2))
seq("rolled", (6, 4), L.Bidirectional(L.LSTM(5)), L.Dense(2))
seq("conv1d", (12, 3), L.Conv1D(4, 3, activation="relu"), L.GlobalAveragePooling1D(), L.Dense(2))
seq("separable", (8, 8, 2), L.SeparableConv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(2))
seq("transpose", (4, 4, 2), L.Conv2DTranspose(3, 3, strides=2), L.ReLU())
seq("upsampling", (4, 4, 2), L.Conv2D(3, 3, padding="same"), L.UpSampling2D((2, 3)))
seq("upsampling1d", (5, 2), L.Conv1D(3, 3, padding="same"), L.UpSampling1D(3))
seq("bilinear", (4, 4, 2), L.Conv2D(3, 3, padding="same"), L.UpSampling2D(interpolation="bilinear"))
seq("prelu", (4, 4, 2), L.Conv2D(3, 3), L.PReLU(shared_axes=[1, 2]), L.Flatten(), L.Dense(2))
seq("elu", (6,), L.Dense(5, "elu"), L.Dense(2))
seq("layernorm", (6,), L.Dense(8), L.LayerNormalization(), L.Dense(2))
seq("rescaling", (4, 4, 1), L.Rescaling(1 / 255.0), L.Conv2D(2, 3), L.Flatten(), L.Dense(2))
seq("normalization", (6,), L.Normalization(mean=[1.0] * 6, variance=[4.0] * 6), L.Dense(2))
seq("embedding", (5,), L.Embedding(10, 4), L.GlobalAveragePooling1D(), L.Dense(2))
seq("old", (6,), L.Dense(5, "relu"), L.Dense(2), suffix="h5")
seq("lambda", (6,), L.Lambda(lambda x: x + 1), suffix="h5")
@keras.saving.register_keras_serializable()
class Mine(L.Layer):
    def call(self, x):
        return x + 1
seq("custom", (6,), Mine(), L.Dense(2))
seq("gelu", (6,), L.Dense(5, "gelu"), L.Dense(2, "selu"), L.Reshape((1, 1, 1, 2)), L.Conv3D(2, 1))
x = keras.Input((6, 8), name="tokens")
y = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
y = L.LayerNormalization()(y + L.Dense(8)(L.Dense(16, "relu")(y)))
save("attention", keras.Model(x, L.Dense(3, "softmax")(L.GlobalAveragePooling1D()(y))))
a, b = keras.Input((4,), name="left side"), keras.Input((3, 2), name="right")
h = L.Concatenate()([L.Dense(4, "relu")(a), L.Dense(3)(L.Flatten()(b))])
save("two", keras.Model([a, b], [L.Dense(2, name="p")(h), L.Dense(3, "softmax", name="q")(h)], name="my two!"))
"""
QUICK = ("two", "layernorm", "old")
SLOW = ("lstm", "attention")
REFUSED = ("rolled", "lambda", "custom", "gelu")
AT_NIGHT = (
    *("conv1d", "prelu", "embedding", "transpose"),
    "gru",  # TensorFlow takes half a minute for it
    *("separable", "upsampling", "upsampling1d", "bilinear", "elu", "rescaling", "normalization"),
)
ON_BOARD = ("two",)  # the others go to a board at night, and are computed here by day
IN_INT16 = ("layernorm",)
IN_INT16_AT_NIGHT = ("separable", "normalization", "lstm", "transpose", "upsampling", "old")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keras files and samples, made in a process of their own."""
    folder = tmp_path_factory.mktemp("keras")
    wanted = () if effort.nightly else (*QUICK, *SLOW, *REFUSED)
    subprocess.run([sys.executable, "-c", MAKE, str(folder), *wanted], check=True, capture_output=True, timeout=200)
    return folder


def bring(kept: Path, name: str, build_dir: Path, activations: str | None = None) -> Manifest:
    path = next(path for path in (kept / f"{name}.keras", kept / f"{name}.h5") if path.is_file())
    found = find_model_file(str(path))
    assert found is not None
    return import_model(found, build_dir, Calibration(kept / f"{name}.npz", activations=activations))


def judge(manifest: Manifest) -> None:
    """The float model is met, and by answers that say something."""
    assert manifest.source is not None
    assert manifest.source.accuracy is not None
    assert manifest.source.accuracy.sqnr_db is not None
    assert manifest.source.accuracy.sqnr_db > 25
    assert len(manifest.expected) >= 8
    assert len({tuple(entry.y) for entry in manifest.expected}) == len(manifest.expected)
    assert manifest.tolerance is not None


@pytest.mark.nightly
def test_a_crash_of_tensorflow_is_an_answer(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is killed in the midst of a question; the next one finds a new child, which all tests below ask."""
    ask = KeptChild.ask

    def killed(self: KeptChild, question: bytes, last: bytes = b"") -> list[bytes]:
        if b'"call"' in question:
            self.kill()
        return ask(self, question, last)

    with monkeypatch.context() as patch:
        patch.setattr(KeptChild, "ask", killed)
        with pytest.raises(InputFileError, match=r"converter crashed on this model \(SIGKILL.*unroll=True"):
            bring(kept, "old", tmp_path / "old")
    bring(kept, "old", tmp_path / "old")


@pytest.mark.parametrize(
    "name",
    [
        *QUICK,
        *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
        *(pytest.param(name, marks=pytest.mark.nightly) for name in AT_NIGHT),
    ],
)
def test_what_keras_makes_is_computed_bit_for_bit(kept: Path, tmp_path: Path, name: str) -> None:
    judge(bring(kept, name, tmp_path / name))
    assert different_bits(tmp_path / name) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*IN_INT16, *(pytest.param(name, marks=pytest.mark.nightly) for name in IN_INT16_AT_NIGHT)]
)
def test_activations_of_16_bits_lie_nearer_to_the_float_model(kept: Path, tmp_path: Path, name: str) -> None:
    manifests = [bring(kept, name, tmp_path / str(kind), kind) for kind in ("int8", "int16")]
    for manifest in manifests:
        judge(manifest)
    assert manifests[1].inputs[0].dtype == manifests[1].outputs[0].dtype == "int16"
    assert different_bits(tmp_path / "int16") == 0
    decibels = [m.source.accuracy.sqnr_db or 0.0 for m in manifests if m.source and m.source.accuracy]
    assert decibels[1] > decibels[0]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name",
    [
        name if name in ON_BOARD else pytest.param(name, marks=pytest.mark.nightly)
        for name in (*QUICK, *SLOW, *AT_NIGHT)
    ],
)
def test_what_keras_makes_is_proven_on_a_simulated_board(kept: Path, tmp_path: Path, name: str) -> None:
    bring(kept, name, tmp_path / name)
    build(QEMU, tmp_path / name)
    report = check(QEMU, tmp_path / name, None, PATIENT)
    assert report.mismatch() == ""
    assert report.proven
    assert report.bits.checked >= 32
    assert len(report.answers) >= 8


def test_several_inputs_keep_their_names_and_their_samples(kept: Path, tmp_path: Path) -> None:
    manifest = bring(kept, "two", tmp_path / "two")
    assert [tensor.name for tensor in manifest.inputs] == ["left_side", "right"]
    assert [tensor.shape for tensor in manifest.outputs] == [[1, 2], [1, 3]]
    with np.load(kept / "two.npz") as arrays:
        first = [*arrays["left side"][0].tolist(), *arrays["right"][0].reshape(-1).tolist()]
    assert manifest.expected[0].x == pytest.approx(first)
    assert sum(manifest.expected[0].y[2:]) == pytest.approx(1)  # the second output's softmax


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rolled", r"layer '\w*lstm\w*' \(LSTM\): a loop, which TensorFlow cannot quantize: make it with unroll=True"),
        ("lambda", r"\(Lambda\): it brings code, which is not run"),
        ("custom", r"layer 'mine' \(Mine\): a class of your own, whose code the file does not bring"),
        ("gelu", r"\(Dense\): .* no gelu .* use relu, or swish; .* no selu .*; layer 'conv3d' \(Conv3D\): "),
    ],
)
def test_layers_that_cannot_come_through_are_all_named_before_tensorflow(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setattr(converter_process, "ask_tensorflow", None)
    with pytest.raises(InputFileError, match=says):
        bring(kept, name, tmp_path / name)


def test_wrong_samples_are_told_before_tensorflow(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter_process, "ask_tensorflow", None)
    two = find_model_file(str(kept / "two.keras"))
    assert two is not None
    left, right = np.zeros((9, 4), np.float32), np.zeros((9, 3, 2), np.float32)
    lost = left.copy()
    lost[3] = np.nan
    for arrays, says in (
        ({"x": left}, r"needs 2 arrays, left_side, right \(real values\)"),
        ({"left side": left, "right": right[:8]}, "left_side 9, right 8"),
        ({"left side": left, "right": right[:, :2]}, "right: 4 values in each sample, this input takes 6"),
        ({"left side": lost, "right": right}, "left_side: sample 3 holds a value that is no finite float32"),
    ):
        np.savez(tmp_path / "d.npz", **arrays)
        with pytest.raises(InputFileError, match=says):
            import_model(two, tmp_path / "two", Calibration(tmp_path / "d.npz"))
    with pytest.raises(InputFileError, match=r"a .npz with left_side \[N, 4\] and right \[N, 3, 2\]"):
        import_model(two, tmp_path / "two", Calibration())
    with pytest.raises(InputFileError, match="none"):
        import_model(two, tmp_path / "two", Calibration(tmp_path / "none.npz"))


def test_poor_samples_are_warned_of(kept: Path, tmp_path: Path) -> None:
    source = find_model_file(str(kept / "old.h5"))
    assert source is not None
    for x, says in ((np.zeros((3, 6)), "only 3 samples"), (np.zeros((9, 6)), "x is 0 in every sample")):
        np.savez(tmp_path / "d.npz", x=x.astype(np.float32))
        manifest = import_model(source, tmp_path / "old", Calibration(tmp_path / "d.npz"))
        assert manifest.source is not None
        assert manifest.source.accuracy is not None
        assert any(says in warning for warning in manifest.source.accuracy.warnings or [])
