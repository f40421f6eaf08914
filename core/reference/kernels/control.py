# SPDX-License-Identifier: Apache-2.0
"""IF and WHILE over other subgraphs."""

from __future__ import annotations

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes


@computes("IF")
def if_(op: BoundOperator, condition: Array, *values: Array) -> list[Array]:
    """The outputs of one of two subgraphs."""
    chosen = "then_subgraph_index" if condition.item() else "else_subgraph_index"
    return op.run_subgraph(op.option(chosen), list(values))


@computes("WHILE")
def while_(op: BoundOperator, *values: Array) -> list[Array]:
    """What goes in, taken through the body as long as the condition's subgraph says so."""
    now = list(values)
    while op.run_subgraph(op.option("cond_subgraph_index"), now)[0].flat[0]:
        now = op.run_subgraph(op.option("body_subgraph_index"), now)
    return now
