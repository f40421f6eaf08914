# SPDX-License-Identifier: Apache-2.0
"""Models trained once for the session: the lesson's neuron, 1-16-16-1 and a wide net with per-channel weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyproof.core.config import CheckConfig, ExportConfig, TrainConfig
from tinyproof.export.export import export_model
from tinyproof.train.builtin import make_sine, make_wide
from tinyproof.train.training import train_model


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Model name -> its build folder, trained and exported."""
    root = tmp_path_factory.mktemp("build")
    folders = {name: root / name for name in ("neuron", "sine", "wide")}
    train_model(TrainConfig(), folders["neuron"])
    make_sine(folders["sine"])
    make_wide(folders["wide"])
    for folder in folders.values():
        export_model(ExportConfig(), CheckConfig(), folder)
    return folders
