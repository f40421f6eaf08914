# SPDX-License-Identifier: Apache-2.0
"""Frama-C's Eva has no alarm where an operator is sound, and one where its C could leave its memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.compiled import compiled
from support.frama_c import NEEDS_EVA
from support.native import changed_engine
from support.op_rows.pooling import pool

from tinyproof.prove.eva import ask_eva
from tinyproof.prove.proof import prove
from tinyproof.prove.verdicts import PROVEN

pytestmark = [pytest.mark.nightly, NEEDS_EVA]


def test_no_operator_of_a_classifier_has_an_alarm(whole_build: Path) -> None:
    proof = prove(whole_build)
    asked = {op.name: op.alarms for op in proof.operators if op.alarms is not None}
    assert {"ADD", "AVERAGE_POOL_2D", "SOFTMAX"} <= set(asked)
    assert set(asked.values()) == {0}


def test_eva_proves_what_has_no_other_argument(tmp_path: Path) -> None:
    (op,) = prove(compiled(tmp_path / "net", pool("MAX_POOL_2D", (1, 4, 4, 2), (2, 2), (2, 2), 1))).operators
    assert (op.alarms, op.memory.status) == (0, PROVEN)


@pytest.mark.parametrize(
    ("operator", "header", "right", "wrong"),
    [
        ("SOFTMAX", "softmax.h", "distance < (p)->exponentials_count && ", ""),
        ("SOFTMAX", "softmax.h", "if (distance < exponentials_count)", "if (distance >= 0)"),
        ("ADD", "broadcast.h", "left > 0", "left >= -4000"),
    ],
)
def test_what_leaves_its_memory_has_an_alarm(
    whole_build: Path, tmp_path: Path, operator: str, header: str, right: str, wrong: str
) -> None:
    engine = changed_engine(tmp_path, f"kernels/{header}", right, wrong)
    number = next(op.number for op in prove(whole_build, eva=False).operators if op.name == operator)
    alarms = ask_eva(whole_build, number, engine, softmax=operator == "SOFTMAX")
    assert alarms is not None
    assert alarms > 0
