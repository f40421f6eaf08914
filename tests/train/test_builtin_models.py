# SPDX-License-Identifier: Apache-2.0
"""The models for measuring and testing are what they say, and the same each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyproof.core.manifest import Manifest, read_manifest, stale_artefacts
from tinyproof.core.origin import SineTraining
from tinyproof.train.backend import load
from tinyproof.train.builtin import make_sine, make_wide


def layers_of(build_dir: Path) -> list[tuple[int, str]]:
    _, keras = load()
    model = keras.models.load_model(build_dir / "model.keras")
    assert model.input_shape == (None, 1)
    return [(layer.units, layer.activation.__name__) for layer in model.layers]


def test_the_sine_is_learned(tmp_path: Path) -> None:
    manifest = make_sine(tmp_path)
    assert layers_of(tmp_path) == [(16, "relu"), (16, "relu"), (1, "linear")]
    _, keras = load()
    x = np.linspace(0, 2 * np.pi, 500, dtype="float32").reshape(-1, 1)
    y = np.asarray(keras.models.load_model(tmp_path / "model.keras")(x))
    rmse = float(np.sqrt(np.mean((y - np.sin(x)) ** 2)))
    assert rmse < 0.02
    assert isinstance(manifest.training, SineTraining)
    assert manifest.training.kind == "sine"
    assert manifest.training.rmse_last == pytest.approx(rmse, rel=0.1)


def test_the_wide_net_has_channels_of_many_sizes(tmp_path: Path) -> None:
    make_wide(tmp_path)
    assert layers_of(tmp_path) == [(24, "relu6"), (32, "relu"), (8, "relu"), (3, "linear")]
    _, keras = load()
    model = keras.models.load_model(tmp_path / "model.keras")
    for layer in model.layers[:3]:
        largest = np.abs(layer.kernel.numpy()).max(axis=0)
        assert largest.max() / largest.min() > 4, "per-channel scales must really differ"
    y = np.asarray(model(np.linspace(-10, 10, 256, dtype="float32").reshape(-1, 1)))
    assert np.all(y.std(axis=0) > 0.1), "a dead output would prove nothing"


@pytest.mark.nightly
@pytest.mark.parametrize("make", [make_sine, make_wide])
def test_two_makings_are_identical_and_complete(tmp_path: Path, make: Callable[[Path], Manifest]) -> None:
    made = [make(tmp_path / folder / "model") for folder in "ab"]
    assert made[0] == made[1] == read_manifest(tmp_path / "a" / "model")
    assert made[0].expected == []
    assert list(made[0].artefacts) == ["model.keras"]
    for name in ("model.keras", "manifest.json"):
        assert (tmp_path / "a/model" / name).read_bytes() == (tmp_path / "b/model" / name).read_bytes()
    assert stale_artefacts(made[0], tmp_path / "a" / "model") == []
