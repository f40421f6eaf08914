# SPDX-License-Identifier: Apache-2.0
"""What docs/operators.md says of operators along dimensions is what is taken, type by type."""

from __future__ import annotations

import re

from support.op_rows.along_axis import along
from support.op_rows.pooling import VALID, pool
from support.op_rows.reducing import reduction
from support.op_rows.softmax import BYTES, BYTES_WIDE, WIDE, along_rows

from tinyproof.core.errors import InputFileError
from tinyproof.core.paths import ROOT
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import lower

TYPES = ("int8", "uint8", "int16", "int32", "int64", "bool")
REDUCTIONS = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ALL")


def one(name: str, dtype: str) -> bytes:
    """The operator on a type, as it is best taken."""
    if name in REDUCTIONS:
        return reduction(name, (2, 3), [1], dtype=dtype)
    if name in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        return pool(name, (1, 4, 4, 1), (2, 2), (2, 2), VALID, dtype=dtype)
    if name == "SOFTMAX":
        y = BYTES if dtype == "int8" else WIDE
        return along_rows(name, (2, 3), (0.1, 0), y, (dtype, dtype), beta=1.0)
    if name in ("LOG_SOFTMAX", "L2_NORMALIZATION"):
        return along_rows(name, (2, 3), (0.1, 0), (1 / 16, 127), (dtype, dtype))
    return along(name, (2, 3), 1, dtype=dtype)


def is_taken(tflite: bytes) -> bool:
    try:
        lower(read_graph(tflite))
    except InputFileError:
        return False
    return True


def test_the_page_lists_the_types_that_are_taken() -> None:
    text = (ROOT / "docs/operators.md").read_text("utf-8")
    table = text.partition("| Along dimensions | Types |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([A-Z0-9_, ]+) \| ([a-z0-9, ]+) \|", table, re.MULTILINE)
    told = {name: types.split(", ") for names, types in rows for name in names.split(", ")}
    assert {*REDUCTIONS, "SOFTMAX", "CUMSUM", "MAX_POOL_2D"} < told.keys()
    for name, types in told.items():
        assert [kind for kind in types if " to " not in kind] == [kind for kind in TYPES if is_taken(one(name, kind))]
    assert "int8 to int16" in told["SOFTMAX"]
    assert is_taken(along_rows("SOFTMAX", (2, 3), (0.1, 0), BYTES_WIDE, ("int8", "int16"), beta=1.0))
