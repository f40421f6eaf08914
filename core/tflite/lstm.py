# SPDX-License-Identifier: Apache-2.0
"""What an integer UNIDIRECTIONAL_SEQUENCE_LSTM means in TFLite Micro: where its operands stand, and its factors.

Source: tflite-micro, micro/kernels/{lstm_shared.h,lstm_eval.h,lstm_eval_common.cc}.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyproof.core.tflite.arithmetic import float32, round_half_away

GATES = ("forget", "input", "cell", "output")
INPUT_WEIGHTS, RECURRENT_WEIGHTS, BIASES = (2, 1, 3, 4), (6, 5, 7, 8), (13, 12, 14, 15)  # of each gate in turn
HIDDEN, CELL = 18, 19
LEFT_OUT = (*range(9, 12), *range(16, 18), *range(20, 24))  # peepholes, projection, layer norm
OPERANDS = 24
GATE_SCALE = 2.0**-12  # of what the functions of the gates are applied to
UNIT_SCALE = 2.0**-15  # of what they answer


@dataclass(frozen=True)
class CellFactors:
    """Real factors of the products: forget gate x cell, input gate x cell gate, output gate x tanh(cell). The cell is
    clamped to +-`clip` where that is not -1. `tanh`: multiplier and right shift of its argument."""

    forget: float
    update: float
    output: float
    clip: int
    tanh: tuple[int, int]


def cell_factors(cell_scale: float, hidden_scale: float, cell_clip: float) -> CellFactors:
    """CreateLstmCellStateInfo, CreateInterGateMulParams and lstm_internal::Tanh."""
    clip = int(min(max(cell_clip / cell_scale, -32768.0), 32767.0)) if cell_clip > 0 else -1
    power = 12 + round_log2(cell_scale)
    return CellFactors(
        UNIT_SCALE * cell_scale / cell_scale,
        UNIT_SCALE * UNIT_SCALE / cell_scale,
        UNIT_SCALE * UNIT_SCALE / hidden_scale,
        clip,
        (3 << power, 0) if power >= 0 else (3, -power),
    )


def round_log2(value: float) -> int:
    """CheckedLog2 without the check, which is not looked at: float32 throughout, ties away from zero."""
    logarithm = float32(float32(math.log(value)) * float32(1.0 / float32(math.log(2.0))))
    return round_half_away(logarithm)
