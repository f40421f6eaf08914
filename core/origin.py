# SPDX-License-Identifier: Apache-2.0
"""Where a model comes from, as its manifest says it: how it was trained here, or which file somebody brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tinyproof.core.converter import ABSENT_IF_NONE


@dataclass(frozen=True)
class Neuron:
    """The two numbers of y = wx + b."""

    w: float
    b: float


@dataclass(frozen=True)
class TrainingPoints:
    """`sha256`: of the CSV's bytes, "" where nobody knows it."""

    source: str
    sha256: str
    x: list[float]
    y: list[float]


@dataclass(frozen=True)
class SampledFunction:
    """`points` values of x from `low` to `high`, both included."""

    source: str
    low: float
    high: float
    points: int


@dataclass(frozen=True, kw_only=True)
class NeuronTraining:
    """The lesson. `guess`: where the descent began; `w`, `b`: where it ended. RMSE in units of y.

    `rule`: what lies behind the data, where that is known.
    """

    kind: Literal["neuron"]
    w: float
    b: float
    rmse_first: float
    rmse_last: float
    learning_rate: float
    steps: int
    guess: Neuron
    data: TrainingPoints
    rule: Neuron | None


@dataclass(frozen=True, kw_only=True)
class SineTraining:
    """A small network that learned a function on a range of its own, over which it is then quantized."""

    kind: Literal["sine"]
    rmse_first: float
    rmse_last: float
    learning_rate: float
    steps: int
    data: SampledFunction


@dataclass(frozen=True)
class Untrained:
    """Weights that were drawn, not learned."""

    kind: Literal["wide"]


Training = NeuronTraining | SineTraining | Untrained


@dataclass(frozen=True)
class FileCalibration:
    """Ranges measured on `samples` of the samples in a file or a folder. `values`: what the ends of a pixel's or a
    sound's range mean, where that had to be said."""

    file: str
    sha256: str
    samples: int
    values: list[float] | None = field(default=None, metadata=ABSENT_IF_NONE)


@dataclass(frozen=True)
class RangeCalibration:
    """Ranges measured on `samples` evenly spaced values of x from `low` to `high`."""

    low: float
    high: float
    samples: int


@dataclass(frozen=True)
class ImportAccuracy:
    """The integer model beside the float one on the calibration's samples, over all outputs. `worst_error` in units of
    y. `sqnr_db`: signal to quantization noise, None where there is no noise or no signal; of several outputs the worst.
    `same_class_share`: how often each output of more than one number is largest in the same place; None where none is.
    `warnings`: why the samples may be poor ones to measure ranges on."""

    samples: int
    worst_error: float
    sqnr_db: float | None
    same_class_share: float | None
    warnings: list[str] | None = field(default=None, metadata=ABSENT_IF_NONE)


@dataclass(frozen=True)
class ModelSource:
    """A file that was brought: `kind` is "tflite", "keras" or "savedmodel". One that computes in integers already has
    neither `calibration` nor `accuracy`. `activations`: "int16" where it was quantized so; absent, int8."""

    file: str
    kind: str
    sha256: str
    calibration: FileCalibration | RangeCalibration | None = field(default=None, metadata=ABSENT_IF_NONE)
    accuracy: ImportAccuracy | None = field(default=None, metadata=ABSENT_IF_NONE)
    activations: str | None = field(default=None, metadata=ABSENT_IF_NONE)
