# SPDX-License-Identifier: Apache-2.0
"""What can be shown of a build for all inputs: prove.json."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.files import write_at_once
from tinyproof.core.system_packages import missing_to_prove

if TYPE_CHECKING:
    from tinyproof.prove.proof import ModelProof
    from tinyproof.prove.verdicts import OperatorProof

FILE = "prove.json"
STATEMENTS = ("memory", "linear", "requantization", "rest")  # of each operator


def run_prove(folder: Path, board: str) -> dict[str, Any]:
    """The entry of one build, which it leaves behind as prove.json. `board`: whose answers `all_inputs` is about.

    Raises UsageError where the folder is no build, or one of another version, EnvironmentFaultError where a tool is
    missing.
    """
    from tinyproof.core.manifest import read_manifest
    from tinyproof.prove.proof import prove

    read_manifest(folder)
    if missing := missing_to_prove():
        raise EnvironmentFaultError(f"{missing[0].what} is missing; {missing[0].remedy}")
    proof = prove(folder)
    document = _document(proof, board) | _own_memory(folder, board, proof)
    write_at_once(folder / FILE, json.dumps(document, indent=1) + "\n")
    return document


def _own_memory(folder: Path, name: str, proof: ModelProof) -> dict[str, Any]:
    """Whether the kernels that a board runs instead are memory safe; null where it runs those that were judged, or
    nobody can say."""
    from tinyproof.core.board_spec import find_board
    from tinyproof.faults.own_kernels import prove_own_memory
    from tinyproof.prove.coverage import NARROW_INT

    board = find_board(name)
    found: list[OperatorProof] = []
    if name not in proof.boards and board.engine == "compiled" and not board.build.toolchain.startswith(NARROW_INT):
        with contextlib.suppress(UsageError):  # its C is not what is exported, which has been judged as it is
            found = prove_own_memory(folder, board, proof.operators)
    return {
        "own_memory_safe": all(operator.memory.holds for operator in found) if found else None,
        "own_memory": [
            {"index": one.index, "name": one.name, "status": one.memory.status, "why": one.memory.why} for one in found
        ],
    }


def _document(proof: ModelProof, board: str) -> dict[str, Any]:
    return {
        "model": proof.model,
        "model_id": proof.model_id,
        "operators": [_operator(operator) for operator in proof.operators],
        "alarms": proof.alarms,
        "memory_safe": proof.memory_safe,
        "requantization_proven": proof.requantization_proven,
        "linear_proven": proof.linear_proven,
        "portable_proven": proof.holds,
        "board": board,
        "all_inputs": proof.holds and board in proof.boards,
        "kernels": proof.kernels,
        "boards": proof.boards,
        "not_proven": proof.not_proven,
        "trusted": proof.trusted,
        "seconds": proof.seconds,
    }


def _operator(operator: OperatorProof) -> dict[str, Any]:
    return {
        "index": operator.index,
        "name": operator.name,
        "alarms": operator.alarms,
        **{
            statement: {"status": verdict.status, "why": verdict.why}
            for statement in STATEMENTS
            for verdict in (getattr(operator, statement),)
        },
    }
