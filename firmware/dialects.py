# SPDX-License-Identifier: Apache-2.0
"""What a firmware says at its serial port: tinyproof's own protocol, or that of MLPerf Tiny's runner."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.core.board_spec import Board
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Manifest

MLPERF = "mlperf"
COMMAND_BYTES = 80  # the runner's longest command
LINE_BYTES = 128  # protocol.h, where a board says nothing else

# (values in, values out) -> what the runner calls the benchmark, and how its data set has the input.
_BENCHMARKS = {
    (490, 12): ("kws01", "own"),
    (32 * 32 * 3, 10): ("ic01", "unsigned"),
    (96 * 96 * 3, 2): ("vww01", "unsigned"),
    (640, 640): ("ad01", "float"),
}


@dataclass(frozen=True)
class MlperfSample:
    """`model`: what `profile%` answers. `sent`: "own" bytes of the input, "unsigned" pixels, or "float" values."""

    model: str
    sent: str
    bytes: int

    def defines(self) -> dict[str, str | int]:
        """What mlperf.c is compiled with."""
        return {
            "MLPERF_MODEL": self.model,
            "MLPERF_DB_BYTES": self.bytes,
            "MLPERF_FLOAT": int(self.sent == "float"),
            "MLPERF_UNSIGNED": int(self.sent == "unsigned"),
        }


def mlperf_sample(board: Board, manifest: Manifest) -> MlperfSample:
    """What the runner sends to this model: known for the four benchmarks, of any other the input's own bytes.

    Raises UsageError for a model that the runner has no commands for, or a board whose line buffer is too short.
    """
    ends = (*manifest.inputs, *manifest.outputs)
    if len(ends) != 2 or ends[0].dtype not in ("int8", "uint8"):
        kinds = ", ".join(end.dtype for end in ends)
        raise UsageError(f"MLPerf Tiny's runner knows one input of 8 bits and one output, {manifest.model} has {kinds}")
    if board.build.defines.get("PROTOCOL_LINE_BYTES", LINE_BYTES) < COMMAND_BYTES:
        raise UsageError(f"board {board.name} has no room for the runner's commands of {COMMAND_BYTES} bytes")
    model, sent = _BENCHMARKS.get((ends[0].elements, ends[1].elements), (manifest.model, "own"))
    if sent == "unsigned" and ends[0].dtype == "uint8":
        sent = "own"  # such an input holds pixels as they are
    return MlperfSample(model, sent, ends[0].elements * (4 if sent == "float" else 1))
