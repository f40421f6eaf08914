# SPDX-License-Identifier: Apache-2.0
"""Which of the kernels that only convolutions take are worth their flash in a model."""

from __future__ import annotations

from collections.abc import Sequence

from tinyproof.export.ops.base import Op
from tinyproof.export.ops.conv_pairs import BY_COLUMNS
from tinyproof.export.ops.conv_planes import ANY
from tinyproof.export.ops.convolution import LaidOutConvolution

# Their code, 3.6 and 1.1 KB on a Cortex-M4, is there whether one layer takes it or many: what share of a model's
# instructions they have to save at least, about a hundredth for a kilobyte.
DISPENSABLE = {"conv_planes_s8": 0.04, "depthwise_quads_s8": 0.012}
# The same of parts of kernels, by the macro that has them compiled: 1.5 and 0.8 KB.
DISPENSABLE_PARTS = {ANY: 0.015, BY_COLUMNS: 0.006}


def without_poor_kernels(ops: Sequence[Op]) -> list[Op]:
    """The operators; layers whose kernel saves next to nothing in all of them take another one that can run them."""
    found = list(ops)
    for kernel, worth in DISPENSABLE.items():
        _spare(found, [place for place, op in enumerate(found) if op.kernel == kernel], worth, kernel)
    for macro, worth in DISPENSABLE_PARTS.items():
        _spare(found, [place for place, op in enumerate(found) if macro in op.kernel_macros], worth, macro)
    return found


def _spare(found: list[Op], places: Sequence[int], worth: float, name: str) -> None:
    """Gives those at `places` other kernels than `name`, if each has one and all of them together are worth less."""
    others = {place: _other(found[place], name) for place in places}
    known = {place: other for place, other in others.items() if other}
    more = sum(other.cost - found[place].cost for place, other in known.items())
    if len(known) == len(others) and more <= worth * sum(op.cost for op in found):
        for place, other in known.items():
            found[place] = other


def _other(op: Op, name: str) -> Op | None:
    return op.without(name) if isinstance(op, LaidOutConvolution) else None
