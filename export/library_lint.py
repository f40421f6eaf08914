# SPDX-License-Identifier: Apache-2.0
"""What the interpreter library on a device can do, compared with what a model asks of it.

The libraries that people get for these boards lag behind the converter, and some compute wrong answers and return OK.
Those are found here, before anything is flashed. The compiled engine and upstream TFLite Micro need no such table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.memory_planner import ARENA_ALIGNMENT

FULLY_CONNECTED = "FULLY_CONNECTED"
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class Library:
    """`dense_per_channel`: fully connected with one weight scale for each output channel.
    `channel_multiple`: output channels of a layer must be one of it. `alignment`: bytes, of the model's array.
    `versions`: the highest of an operator's versions that it computes; one not named is computed in every version.
    `missing`: operators that its resolver does not have. `evidence`: where each of this is reported."""

    name: str
    dense_per_channel: bool = True
    channel_multiple: int = 1
    alignment: int = ARENA_ALIGNMENT
    versions: tuple[tuple[str, int], ...] = ()
    missing: frozenset[str] = frozenset()
    evidence: str = ""


_OPERATORS_SINCE_2024 = frozenset(
    ("BATCH_MATMUL", "DYNAMIC_UPDATE_SLICE", "EMBEDDING_LOOKUP", "REDUCE_ALL", "REDUCE_MIN", "REVERSE_V2")
)
_OF_2023: dict[str, Any] = {
    "dense_per_channel": False,
    # Version 12 is the first in which a fully connected layer may be quantized per channel by its own declaration.
    "versions": ((FULLY_CONNECTED, 11),),
    "missing": _OPERATORS_SINCE_2024,
}

LIBRARIES = {
    library.name: library
    for library in (
        Library("tflite-micro"),
        Library("Chirale_TensorFLowLite 2.0.0", **_OF_2023, evidence="tflite-micro issues 2602, 2673"),
        Library("MicroTFLite 1.0.3", **_OF_2023, evidence="tflite-micro issues 2602, 2673"),
        Library("tflite-micro-arduino-examples", **_OF_2023, evidence="tflite-micro issue 960"),
        Library("esp-tflite-micro 1.4.0"),
        Library("esp-tflite-micro 1.4.0 on ESP32-S3", channel_multiple=8, evidence="esp-nn issue 34"),
    )
}


@dataclass(frozen=True)
class Finding:
    """`where`: an operator, or the model. `silent`: the library would answer wrongly and say nothing."""

    where: str
    fault: str
    silent: bool

    def __str__(self) -> str:
        return f"{self.where}: {self.fault}"


def library_of(board: Board) -> Library | None:
    """The interpreter library that the board's firmware is linked with; None for the compiled engine."""
    name = board.build.library
    if not name:
        return None
    if name not in LIBRARIES:
        raise UsageError(f"firmware/boards/{board.name}.toml: unknown library {name!r}; known: {', '.join(LIBRARIES)}")
    return LIBRARIES[name]


def lint(graph: Graph, library: Library) -> list[Finding]:
    """What of this model the library does not compute, in the model's order."""
    return list(_ends(graph, library)) + [
        finding for operator in graph.operators for finding in _operator(graph, operator, library)
    ]


def refuse_unfit(graph: Graph, board: Board) -> None:
    """Raises InputFileError with the first finding and the remedies; does nothing for the compiled engine."""
    library = library_of(board)
    findings = lint(graph, library) if library else []
    if not library or not findings:
        return
    worst = next((finding for finding in findings if finding.silent), findings[0])
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    outcome = "would answer wrongly and say nothing" if worst.silent else "would not start"
    remedy = f"./tinyproof export --board {board.name}, take the compiled engine (--board {board.name.split('_')[0]})"
    raise InputFileError(
        f"{graph.file}: {worst}{more}; {library.name} on board {board.name} {outcome}: {remedy}, or override: --no-lint"
    )


def _ends(graph: Graph, library: Library) -> Iterator[Finding]:
    for role, index in (("input", graph.inputs[0]), ("output", graph.outputs[0])):
        if graph.tensors[index].dtype != "int8":
            yield Finding("model", f"its {role} is {graph.tensors[index].dtype}, the interpreter's must be int8", False)
    if library.alignment > ARENA_ALIGNMENT:
        yield Finding("model", f"its array is aligned to {ARENA_ALIGNMENT} bytes, not {library.alignment}", True)


def _operator(graph: Graph, operator: Operator, library: Library) -> Iterator[Finding]:
    if operator.name in library.missing:
        yield Finding(operator.label, "not in its resolver", False)
    highest = dict(library.versions).get(operator.name, operator.version)
    if operator.version > highest:
        yield Finding(operator.label, f"version {operator.version}, it has {highest} at most", True)
    if operator.name not in (FULLY_CONNECTED, *CONVOLUTIONS) or len(operator.inputs) < 2:
        return
    weights = graph.tensors[operator.inputs[1]]
    if operator.name == FULLY_CONNECTED and not library.dense_per_channel and len(set(weights.scales)) > 1:
        yield Finding(
            operator.label,
            f"weights with {len(weights.scales)} scales, one for each channel; it takes the first for all",
            True,
        )
    channels = weights.shape[-1] if operator.name == "DEPTHWISE_CONV_2D" else weights.shape[0]
    if channels % library.channel_multiple:
        yield Finding(operator.label, f"{channels} output channels, no multiple of {library.channel_multiple}", True)
