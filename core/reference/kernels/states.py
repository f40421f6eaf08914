# SPDX-License-Identifier: Apache-2.0
"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE, CALL_ONCE: what one inference leaves to the next."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes
from tinyproof.core.reference.memory import filled


@computes("VAR_HANDLE")
def var_handle(op: BoundOperator) -> Array:
    """The number of the variable."""
    return np.array([op.memory.handle(op.operator.resource)])


@computes("READ_VARIABLE")
def read_variable(op: BoundOperator, handle: Array) -> Array:
    """The variable's present value."""
    return op.memory.resources[op.memory.names[int(handle.item())]].copy()


@computes("ASSIGN_VARIABLE")
def assign_variable(op: BoundOperator, handle: Array, value: Array) -> list[Array]:
    """Keeps the value."""
    op.memory.resources[op.memory.names[int(handle.item())]] = value.copy()
    return []


@computes("CALL_ONCE")
def call_once(op: BoundOperator) -> list[Array]:
    """Runs a subgraph in the first inference alone (micro/kernels/call_once.cc)."""
    if not op.private.get("has_run"):
        op.run_subgraph(op.option("init_subgraph_index"), [])
        op.private["has_run"] = True
    return []


@computes("CUSTOM CIRCULAR_BUFFER")
def circular_buffer(op: BoundOperator, x: Array) -> Array:
    """The rows of the inferences before, moved up, and the input behind them."""
    past: Array = op.private.get("past", filled(op.y, only_int8=True))
    now: Array = np.concatenate([past[:, x.shape[1] :], x], axis=1)
    op.private["past"] = now
    return now
