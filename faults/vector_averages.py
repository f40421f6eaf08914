# SPDX-License-Identifier: Apache-2.0
"""What the kernel of averages for MVE makes of every sum of a window: it divides in assembly of its own.

The kernel runs on this machine as a campaign runs it (native/assembly.py), whole: each sum is a channel of one window.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyproof.faults.native.source import HERE, preprocess, run_gcc
from tinyproof.prove.sweeps import Bytes

SOURCE = """#include "kernels/average_pool_s8.h"
void average_sums(const int8_t *input, int8_t *output, int32_t channels, int32_t count, uint32_t reciprocal,
                  uint8_t shift, int32_t min, int32_t max) {
    const struct average_pool_s8 p = {
        .batches = 1, .channels = channels, .clamp_min = min, .clamp_max = max,
        .input_height = count, .filter_height = count, .output_height = 1, .stride_height = 1,
        .input_width = 1, .filter_width = 1, .output_width = 1, .stride_width = 1,
        .first_count = count, .reciprocals = &reciprocal, .shifts = &shift,
    };
    average_pool_s8(input, output, &p);
}
"""
FLAGS = ("-std=gnu99", "-O2", "-w", "-fwrapv", "-fno-strict-aliasing", "-fPIC", "-shared")
PART = 4096  # sums at a time


class VectorAverages:
    """Compiled in `folder`, with the board's folders of kernels. Raises EnvironmentFaultError without gcc."""

    def __init__(self, folder: Path, kernels: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        unit, library = folder / "averages.c", folder / "averages.so"
        unit.write_text(preprocess(SOURCE, folder, kernels), encoding="utf-8", newline="\n")
        run_gcc(["gcc", *FLAGS, f"-I{HERE}", str(unit), "-o", str(library)])
        self._average = ctypes.CDLL(str(library.resolve())).average_sums

    def average(self, parameters: tuple[int, ...], clamp: tuple[int, int]) -> Bytes:
        """What the sums from -128 to 127 times `parameters[0]` elements become. The others: reciprocal and shift."""
        count, reciprocal, shift = parameters
        table = np.empty(255 * count + 1, np.int8)
        for first in range(0, len(table), PART):
            found = table[first : first + PART]
            least, more = np.divmod(np.arange(first, first + len(found)) - 128 * count, count)
            window = (least + (np.arange(count)[:, None] < more)).astype(np.int8)
            ends = (ctypes.c_void_p(array.ctypes.data) for array in (window, found))
            numbers = (len(found), count, ctypes.c_uint32(reciprocal), ctypes.c_uint8(shift), *clamp)
            self._average(*ends, *numbers)
        return table
