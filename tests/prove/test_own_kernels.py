# SPDX-License-Identifier: Apache-2.0
"""What is shown of the kernels that a board runs, its assembly translated to C: no input leads beside the memory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.classifier import steep_classifier
from support.compiled import compiled
from support.native import changed_engine

from tinyproof.core.board_spec import find_board
from tinyproof.faults.own_kernels import prove_own_memory
from tinyproof.prove.proof import prove
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN

M55 = "qemu-cortex-m55"


@pytest.fixture
def build(whole_build: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole_build, tmp_path / "net"))


def test_dense_layers_are_shown_to_be_safe_on_a_cortex_m55(tmp_path: Path) -> None:
    found = prove_own_memory(compiled(tmp_path / "net", steep_classifier()), find_board(M55))
    assert [one.memory.status for one in found] == [PROVEN, PROVEN, UNPROVEN]  # SOFTMAX runs the portable kernel


@pytest.mark.nightly
def test_no_access_of_a_boards_kernels_is_out_of_bounds(build: Path) -> None:
    portable = prove(build, eva=False)
    found = prove_own_memory(build, find_board(M55), portable.operators)
    assert [(one.name, one.memory.status) for one in found] == [(one.name, PROVEN) for one in portable.operators]
    affine = {one.name for one in found if one.affine.status != PROVEN}
    assert affine == {"SOFTMAX"}  # it runs the portable kernel
    alone = prove_own_memory(build, find_board(M55))
    assert {one.name for one in alone if one.memory.status != PROVEN} == {"SOFTMAX"}


@pytest.mark.nightly
@pytest.mark.parametrize("board", [M55, "qemu-cortex-m4"])
def test_boards_of_each_kind_have_it_shown(tmp_path: Path, board: str) -> None:
    folder = compiled(tmp_path / "net", steep_classifier())
    found = prove_own_memory(folder, find_board(board), prove(folder, eva=False).operators)
    assert {one.memory.status for one in found} == {PROVEN}


@pytest.mark.nightly
def test_a_table_that_is_read_too_far_is_refuted(build: Path, tmp_path: Path) -> None:
    engine = changed_engine(tmp_path, "kernels_mve/kernels/conv_mve.h", "subs r2, r2, #4", "subs r2, r2, #3")
    found = prove_own_memory(build, find_board(M55), engine=engine)
    assert {one.memory.status for one in found} == {REFUTED}
    assert "global-buffer-overflow" in found[0].memory.why


@pytest.mark.nightly
def test_a_path_that_depends_on_the_input_is_not_proven(build: Path, tmp_path: Path) -> None:
    file = "kernels_mve/kernels/elementwise.h"
    engine = changed_engine(tmp_path, file, "if (count == 1 ||", "if (count == 1 || *x1 > 3 ||")
    found = prove_own_memory(build, find_board(M55), engine=engine)
    (addition,) = (one for one in found if one.name == "ADD")
    assert (addition.memory.status, addition.affine.why) == (UNPROVEN, "a branch depends on the input")


@pytest.mark.nightly
def test_a_step_that_writes_beside_its_output_is_refuted(build: Path, tmp_path: Path) -> None:
    file = "kernels_mve/kernels/add_s8.h"
    engine = changed_engine(
        tmp_path, file, '"dlstp.32 lr, %[count]', '"add %[count], %[count], #1\\n\\tdlstp.32 lr, %[count]'
    )
    found = prove_own_memory(build, find_board(M55), engine=engine)
    refuted = {one.name: one.memory.why for one in found if one.memory.status == REFUTED}
    assert set(refuted) in ({"ADD"}, {one.name for one in found})
    assert "not its own" in refuted["ADD"] or "overflow" in refuted["ADD"]
