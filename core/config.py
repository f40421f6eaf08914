# SPDX-License-Identifier: Apache-2.0
"""Configuration: defaults, overlaid by `tinyproof.toml` (all of it optional), overlaid by flags."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyproof.core.errors import InputFileError


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
    """`points`: values of x asked beyond the training data. `timeout_s`: per request, before a retry."""

    points: tuple[float, ...] = (10.0,)
    timeout_s: float = 1.0
    retries: int = 3


@dataclass(frozen=True)
class Config:
    """`model`: name of the folder in build/. `board`: what `run`, `build` and `check` use without --board."""

    model: str = "neuron"
    board: str = "qemu-cortex-m4"
    train: TrainConfig = field(default_factory=TrainConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    check: CheckConfig = field(default_factory=CheckConfig)


def load_config(path: Path) -> Config:
    """Read `path` over the defaults; a missing file means the defaults.

    Raises InputFileError naming the file and the key that is unknown or of the wrong type.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputFileError(f"{path.name}: {error}") from error
    return typing.cast(Config, _overlay(Config(), table, path.name, ""))


def _overlay(defaults: Any, table: dict[str, Any], file: str, prefix: str) -> Any:
    hints = typing.get_type_hints(type(defaults))
    changes: dict[str, Any] = {}
    for key, value in table.items():
        name = prefix + key
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1)
            known = f"did you mean {prefix}{close[0]}?" if close else f"known keys: {', '.join(hints)}"
            raise InputFileError(f"{file}: unknown key {name}; {known}")
        default = getattr(defaults, key)
        if dataclasses.is_dataclass(default):
            if not isinstance(value, dict):
                raise InputFileError(f"{file}: {name} must be a table, [{name}]")
            changes[key] = _overlay(default, value, file, f"{name}.")
        else:
            changes[key] = _convert(value, hints[key], file, name)
    return dataclasses.replace(defaults, **changes)


def _convert(value: Any, hint: Any, file: str, name: str) -> Any:
    if isinstance(hint, types.GenericAlias):  # tuple[float, ...]
        if not isinstance(value, list):
            raise InputFileError(f"{file}: {name} must be a list, not {value!r}")
        return tuple(_convert(item, typing.get_args(hint)[0], file, name) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or isinstance(value, bool):
        raise InputFileError(f"{file}: {name} must be {hint.__name__}, not {value!r}")
    return value
