# SPDX-License-Identifier: Apache-2.0
"""The bench's document, and the sizes and instruction counts that must not grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.cli.verbs.bench import measure
from tinyproof.core import paths
from tinyproof.core.config import Config


@pytest.mark.nightly
def test_the_smallest_models_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.setattr(paths, "CURRENT_FILE", tmp_path / "current")
    document = measure(Config(), [], tinyperf=False)

    assert set(document["stages"]) == {"train", "export", "build", "check"}
    assert document["training"]["speedup_over_fit"] >= 20
    neuron, sine = document["results"]
    assert (neuron["model"], sine["model"]) == ("neuron", "sine")
    for row in (neuron, sine):
        assert (row["board"], row["engine"]) == ("qemu-cortex-m4", "compiled")
        assert (row["bits_checked"], row["bits_different"]) == (256, 0)
        assert row["startup_instructions"] <= 10
        assert row["round_trips_per_second"] > 0
    assert neuron["engine_flash_bytes"] <= 160
    assert neuron["engine_ram_bytes"] == 1
    assert neuron["instructions_per_inference"] <= 40
    assert neuron["cycles_per_inference"] <= 45
    assert sine["cycles_per_inference"] <= 1_900
    assert [layer["name"] for layer in sine["layers"]] == ["FULLY_CONNECTED"] * 3
    assert all(layer["cycles"] > layer["instructions"] > 0 for row in (neuron, sine) for layer in row["layers"])
    assert sine["instructions_per_inference"] <= 1_500
    assert sine["engine_ram_bytes"] <= 32
