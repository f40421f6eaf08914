# SPDX-License-Identifier: Apache-2.0
"""What the functions of `import tinyproof` return: frozen, of plain values, and without a heavy import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BoardAt:
    """A board by its name, and the port where it answers: a device file, socket://HOST:PORT or rfc2217://HOST:PORT.

    Without a port a simulated board is built and started, and `reference` is this machine.
    """

    name: str
    port: str | None = None


@dataclass(frozen=True)
class Exported:
    """A model as C. `folder` holds model_compiled.c, vectors.json, manifest.json and the rest; `model` is its name.

    `macs`: multiply-accumulates of one inference. `arena_bytes`: all the RAM that the model needs.
    """

    model: str
    model_id: str
    folder: Path
    macs: int
    arena_bytes: int


@dataclass(frozen=True)
class OperatorShape:
    """An operator of the model; shapes of its inputs and outputs in elements."""

    index: int
    name: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    macs: int
    constant_bytes: int


@dataclass(frozen=True)
class BoardFit:
    """Whether a board has room for the model. `exact`: as built; otherwise its code is estimated."""

    board: str
    fits: bool
    exact: bool
    flash_bytes: int
    flash_limit: int
    ram_bytes: int
    ram_limit: int
    verdict: str


@dataclass(frozen=True)
class Inspection:
    """What a model is made of, and where it fits."""

    file: str
    model_id: str
    macs: int
    constant_bytes: int
    arena_bytes: int
    operators: tuple[OperatorShape, ...]
    boards: tuple[BoardFit, ...]


@dataclass(frozen=True)
class FirstDifference:
    """Where a board first leaves the reference: `element` of the output to input `index` must be `expected`, is `got`.

    `operator` is the first whose output is wrong, as "operator 2 (CONV_2D)", and `tensor` what the model calls that
    output; both are empty where that is not known, and `why_unknown` says the reason. `frame`: of the sample `index`,
    where a sample is a sequence of frames. `x_q`: the input's values.
    """

    index: int
    frame: int | None
    x_q: tuple[int, ...]
    element: int
    expected: int
    got: int
    operator: str
    tensor: str
    why_unknown: str


@dataclass(frozen=True)
class Proof:
    """What a check came to. `proven`: all bits are the reference's, and answers that are known came out right.

    `vectors` inputs (or frames of samples) were asked, of which `bits_different` differ; `fault` says in one line what
    is wrong, and is empty where nothing is. `instructions`: most that one inference took, None on a board that counts
    something else; `ticks` are in `tick_unit` ("insn", "cycle" or "us"). `answers_within_tolerance`: None where no
    answers are known. `vectors_made`: inputs beyond those that the board made itself, as far as they were compared.

    Of a data set `accuracy` is the share of labels that came out right (None without class numbers), and `rmse` the
    error of real answers. `doubtful`: most samples hold values beyond the range that the model was quantized for.
    """

    model: str
    model_id: str
    board: str
    engine: str
    reference: str
    vectors: int
    bits_different: int
    answers_within_tolerance: bool | None
    proven: bool
    doubtful: bool
    fault: str
    first_difference: FirstDifference | None
    ticks: int
    tick_unit: str
    accuracy: float | None = None
    rmse: float | None = None
    vectors_made: int = 0

    @property
    def instructions(self) -> int | None:
        """Most that one inference took; None where the board does not count instructions."""
        return self.ticks if self.tick_unit == "insn" else None


@dataclass(frozen=True)
class Simulation:
    """A simulated board that runs: any serial program may open `port`, one at a time."""

    board: str
    model_id: str
    port: str


@dataclass(frozen=True)
class OperatorCost:
    """Mean over a few inputs. `share` of the whole time. `cycles`: None where no model of the core is known. `sqnr_db`:
    signal to quantization noise behind it, None where no float model is at hand."""

    index: int
    name: str
    macs: int
    ticks: int
    share: float
    cycles: int | None
    sqnr_db: float | None


@dataclass(frozen=True)
class Profile:
    """What each operator takes, in `tick_unit`; `cycles` by the core's manual, None where it is not known."""

    model: str
    model_id: str
    board: str
    ticks: int
    tick_unit: str
    cycles: int | None
    operators: tuple[OperatorCost, ...]

    @property
    def slowest(self) -> OperatorCost:
        """The operator that takes most of the time."""
        return max(self.operators, key=lambda operator: operator.ticks)
