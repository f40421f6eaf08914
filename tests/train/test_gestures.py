# SPDX-License-Identifier: Apache-2.0
"""The worked example learns, is the same each time, and its files are what the other verbs take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyproof.core.data_set import read_dataset
from tinyproof.core.manifest import TensorSpec
from tinyproof.train.gestures import AXES, CLASSES, SAMPLES, SEED, make_gestures, windows


@pytest.mark.nightly
def test_it_learns_and_repeats(tmp_path: Path) -> None:
    first = make_gestures(tmp_path / "a")
    second = make_gestures(tmp_path / "b")
    assert 0.9 < first.accuracy <= 1.0
    for name in ("model", "calibration", "test"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes(), name
    test = read_dataset(first.test, [TensorSpec("x", [1, SAMPLES, AXES], "int8", 1.0, 0, SAMPLES * AXES)])
    assert len(test) == 200
    assert set(test.y.tolist()) == set(range(len(CLASSES)))


def test_the_gestures_are_what_their_names_say() -> None:
    x, y = windows(np.random.default_rng(SEED), 400)
    motion = (x - x.mean(axis=1, keepdims=True)).std(axis=1)[:, 0]  # g, per window and axis
    typical = {name: motion[y == index].mean(axis=0) for index, name in enumerate(CLASSES)}
    assert typical["rest"].max() < 0.15
    assert typical["shake"][0] > 2 * typical["shake"][1:].max()
    assert typical["circle"][:2].min() > 2 * typical["circle"][2]
    assert typical["lift"][2] > 1.2 * typical["lift"][:2].max()
