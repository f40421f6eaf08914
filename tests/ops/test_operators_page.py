# SPDX-License-Identifier: Apache-2.0
"""docs/operators.md names every operator of the registry, and those that work element by element with their types."""

from __future__ import annotations

import re

from tinyproof.core.paths import ROOT
from tinyproof.export.lowering import REWRITTEN
from tinyproof.export.ops import ENDS, OPS
from tinyproof.export.ops.elementwise import Elementwise
from tinyproof.export.ops.lookup import Lookup

PAGE = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
HEAD = "| Element by element | Types |\n|---|---|\n"


def types_in_words(name: str) -> str:
    """int8, int16; int8 to bool. Empty for an operator of another kind."""
    op = OPS[name]
    if issubclass(op, Lookup):
        pairs = list(op.pairs)
    elif issubclass(op, Elementwise):
        pairs = [(x, y) for x in op.types for y in op.output_types or (x,)]
    else:
        return ""
    targets: dict[str, list[str]] = {"": [x for x, y in pairs if x == y]}
    for x, y in pairs:
        if x != y:
            targets.setdefault(f" to {y}", []).append(x)
    return "; ".join(", ".join(found) + target for target, found in targets.items() if found)


def rows_of_the_page() -> list[str]:
    """What the table has to hold, to be pasted into docs/operators.md where it does not."""
    groups: dict[str, list[str]] = {}
    for name in sorted(OPS):
        groups.setdefault(types_in_words(name), []).append(name)
    groups.pop("", None)
    return [f"| {', '.join(names)} | {types} |" for types, names in sorted(groups.items(), key=lambda group: group[1])]


def test_the_page_has_the_types_of_what_works_element_by_element() -> None:
    wanted = rows_of_the_page()
    table = PAGE.partition(HEAD)[2].partition("\n\n")[0]
    assert table.splitlines() == wanted, f"docs/operators.md's table should be:\n{HEAD}" + "\n".join(wanted)


def test_the_page_names_every_operator() -> None:
    names = {name.removeprefix("CUSTOM ") for name in (*OPS, *ENDS, *REWRITTEN)}
    assert names - set(re.findall(r"\b\w+\b", PAGE)) == set()
