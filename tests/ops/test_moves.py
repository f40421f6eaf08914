# SPDX-License-Identifier: Apache-2.0
"""Where the bytes stay the same, nothing happens on the device."""

from __future__ import annotations

import pytest
from support.op_rows.reshape import reshaped
from support.op_rows.strided import transpose
from support.op_table import only_op


@pytest.mark.parametrize(
    "tflite",
    [
        reshaped("RESHAPE", (2, 6), (3, 4), [3, 4]),
        reshaped("SQUEEZE", (2, 1, 3), (2, 3), squeezeDims=[1]),
        reshaped("EXPAND_DIMS", (2, 3), (2, 1, 3), [1]),
        transpose((1, 4, 1, 3), [1, 0, 3, 2]),
    ],
    ids=["RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"],
)
def test_costs_nothing(tflite: bytes) -> None:
    op = only_op(tflite)
    assert (op.kernel, op.in_place) == ("", True)


def test_transposing_more_than_dimensions_of_one_takes_a_kernel() -> None:
    op = only_op(transpose((1, 4, 1, 3), [3, 0, 1, 2]))
    assert (op.kernel, op.in_place) == ("strided_copy", False)
