# SPDX-License-Identifier: Apache-2.0
"""The samples on which a float model's ranges are measured: where they come from, and whether they can say anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyproof.core.data_set import DataForm, Dataset, input_names, read_dataset
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.origin import FileCalibration, RangeCalibration
from tinyproof.export.keras_config import FloatInput
from tinyproof.export.keras_quantizer import SAMPLES

MAX_CALIBRATION_SAMPLES = 500  # more do not move a range noticeably, and each costs an inference
FEW_SAMPLES = 8
INPUT_TYPES = ("float32", "int32", "int64")
LARGE = 1000.0  # real values beyond it are seldom what a network was trained on


@dataclass(frozen=True)
class Calibration:
    """Where the ranges of a float model come from: a file of samples, or the range of its one number. `activations`:
    "int8" or "int16", None where nothing is asked. `values`: as in DataForm."""

    file: Path | None = None
    low: float | None = None
    high: float | None = None
    seed: int = 1
    activations: str | None = None
    values: tuple[float, float] | None = None

    @property
    def given(self) -> bool:
        """Whether the user has said enough to find the ranges of a float model."""
        return self.file is not None or (self.low is not None and self.high is not None)

    @property
    def asked(self) -> tuple[float, float] | None:
        """The range, where that is what the samples come from."""
        if self.file is not None or self.low is None or self.high is None:
            return None
        return self.low, self.high


@dataclass(frozen=True)
class Samples:
    """`parts`: of each input [N, *shape] in the input's own type."""

    parts: list[Any]
    dataset: Dataset | None

    def __len__(self) -> int:
        return len(self.parts[0])

    def provenance(self, calibration: Calibration) -> FileCalibration | RangeCalibration:
        """For the manifest."""
        if self.dataset is not None:
            values = None if calibration.values is None else list(calibration.values)
            return FileCalibration(self.dataset.file, self.dataset.sha256, len(self), values)
        assert calibration.asked is not None  # or there were no samples
        return RangeCalibration(*calibration.asked, len(self))


def read_samples(calibration: Calibration, inputs: Sequence[FloatInput], file: str) -> Samples:
    """Raises InputFileError where there are none or they do not fit the inputs, UsageError for a range that is none."""
    import numpy as np

    elements = sum(end.elements for end in inputs)
    if calibration.file is not None:
        dataset = read_dataset(calibration.file, inputs, form=DataForm(values=calibration.values, labels=False))
        if dataset.quantized:
            raise InputFileError(f"{dataset.file}: calibration needs real values in x, not x_q")
        step = max(1, -(-len(dataset) // MAX_CALIBRATION_SAMPLES))
        return Samples(split(dataset.x[::step], inputs), dataset)
    if elements != 1 or calibration.asked is None:
        way = "--low and --high, or " if elements == 1 else ""
        names = input_names([end.name for end in inputs])
        arrays = [f"{name} [N, {', '.join(map(str, end.shape))}]" for name, end in zip(names, inputs, strict=True)]
        raise InputFileError(
            f"{file}: a float model needs samples to quantize it: give {way}--calibration FILE, a .npz with "
            f"{' and '.join(arrays)} or a .csv with {elements} columns"
        )
    low, high = calibration.asked
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"the range of x must go up, not from {low:g} to {high:g}; see --low and --high")
    (end,) = (end for end in inputs if end.elements)
    grid = np.linspace(low, high, SAMPLES, dtype=np.float32).reshape(SAMPLES, *end.shape)
    return Samples([grid.astype(end.dtype)], None)


def split(x: Any, inputs: Sequence[FloatInput]) -> list[Any]:
    """`x`, [N, elements of all inputs], as a float model takes it: of each input [N, *shape] in its own type."""
    parts, start = [], 0
    for end in inputs:
        part = x[:, start : start + end.elements]
        parts.append(part.reshape(-1, *end.shape).astype(end.dtype))
        start += end.elements
    return parts


def look_at(samples: Samples, inputs: Sequence[FloatInput]) -> list[str]:
    """Why ranges measured on these samples may be wrong, each in one clause."""
    import numpy as np

    warnings = []
    count = len(samples)
    if count < FEW_SAMPLES:
        warnings.append(f"only {count} sample{'s' if count > 1 else ''} to measure ranges on: give 100 or more")
    names = input_names([end.name for end in inputs])
    for name, part in zip(names, samples.parts, strict=True):
        if part.size and (part == part.reshape(-1)[0]).all():
            warnings.append(f"{name} is {part.reshape(-1)[0]:g} in every sample: all other values will saturate")
        elif count > 1 and (part == part[0]).all():
            warnings.append(f"{name} is the same in all {count} samples: what differs from it may saturate")
        elif part.dtype.kind == "f" and float(np.abs(part).max()) > LARGE:
            warnings.append(
                f"{name} reaches {float(np.abs(part).max()):.4g}: are these the values that the model learned on?"
            )
    return warnings
