# SPDX-License-Identifier: Apache-2.0
"""Configuration: defaults, overlaid by `tinyproof.toml` (all of it optional), overlaid by flags."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinyproof.core.converter import read_toml


@dataclass(frozen=True)
class TrainConfig:
    """The lesson of one neuron: y = wX + b by plain full-batch SGD on the mean squared error."""

    w: float = 10.0
    b: float = -10.0
    learning_rate: float = 0.01
    steps: int = 500
    seed: int = 1
    data: str = ""  # a CSV with the columns x,y, relative to the project; empty: the lesson's six points


@dataclass(frozen=True)
class ExportConfig:
    """Post-training quantization. `low` and `high` bound the range of x that will be asked."""

    low: float = -10.0
    high: float = 10.0
    seed: int = 1


@dataclass(frozen=True)
class CheckConfig:
    """`points`: values of x asked beyond the training data. `timeout_s`: per request, before a retry. `total_s`: for a
    whole check; 0 stands for what its inferences may take. `vectors`: inputs asked beyond the build's vectors, which
    the board makes itself of `seed`. `baud`: of the line; 0 stands for the board file's."""

    points: tuple[float, ...] = (10.0,)
    timeout_s: float = 1.0
    retries: int = 3
    total_s: float = 0.0
    vectors: int = 0
    seed: int = 1
    baud: int = 0


@dataclass(frozen=True)
class FleetConfig:
    """`coordinator`: labgrid's, HOST:PORT, of the boards that --fleet asks for; empty: the one on this machine."""

    coordinator: str = ""


@dataclass(frozen=True)
class Config:
    """`model`: name of the folder in build/. `board`: what `run`, `build` and `check` use without --board."""

    model: str = "neuron"
    board: str = "qemu-cortex-m4"
    train: TrainConfig = field(default_factory=TrainConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    check: CheckConfig = field(default_factory=CheckConfig)
    fleet: FleetConfig = field(default_factory=FleetConfig)


def load_config(path: Path) -> Config:
    """Read `path` over the defaults; a missing file means the defaults.

    Raises InputFileError naming the file and the key that is unknown or of the wrong type.
    """
    try:
        return read_toml(path, Config, path.name)
    except FileNotFoundError:
        return Config()
