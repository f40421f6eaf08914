# SPDX-License-Identifier: Apache-2.0
"""What IF and WHILE become, once inlining.py has put their subgraphs where they stood: C's own control flow."""

from __future__ import annotations

from collections.abc import Callable

from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.variables import Variable

COPY, ALIAS = "COPY", "ALIAS"  # of a tensor that goes into a subgraph or comes out of it
IF, ELSE, END, LOOP, TEST, AGAIN = "IF BEGINS", "ELSE", "IF ENDS", "LOOP", "TEST", "LOOP ENDS"
_STATEMENTS = {
    IF: "    if ({0}) {{",
    ELSE: "    }} else {{",
    END: "    }}",
    LOOP: "    for (;;) {{",
    TEST: "    if (!{0})\n        break;",
    AGAIN: "    }}",
}


class _Internal(Op):
    """Nothing that a file could hold."""

    max_version = 1

    def parameters(self, prefix: str) -> dict[str, str]:
        return {}


class Alias(_Internal):
    """The same bytes under another name, and with another meaning of them."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.inputs, self.outputs = operator.inputs, operator.outputs


class Control(_Internal):
    """A line of C between the kernels' calls. Its input, if it has one, is a condition: one bool."""

    def __init__(self, graph: Graph, operator: Operator) -> None:
        super().__init__(graph, operator)
        self.condition = None if not operator.inputs else self.tensor(operator.inputs, 0, "condition")
        if self.condition is not None and self.condition.data is None:
            self.inputs = (self.condition.index,)

    def statement(self, place: Callable[[int], int]) -> str:
        """`place` says where a tensor lies in the arena."""
        condition = ""
        if self.condition is not None:
            data = self.condition.data
            condition = f"arena[{place(self.condition.index)}]" if data is None else str(int(data != b"\0"))
        return _STATEMENTS[self.operator.name].format(condition)


CONTROL: dict[str, type[Op]] = {COPY: Variable, ALIAS: Alias, **dict.fromkeys(_STATEMENTS, Control)}
