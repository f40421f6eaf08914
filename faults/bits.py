# SPDX-License-Identifier: Apache-2.0
"""Faults in an engine's numbers: bits flipped in its tables, and sizes that are off by one in its parameters.

A sample takes layers and bits in turns, so that neither a large layer nor the many low bits hide the others.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tinyproof.export.lowering import Program
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.kinds import BITS
from tinyproof.faults.native.engine import ByteChange
from tinyproof.faults.native.source import Region
from tinyproof.faults.roles import blocks_of, role_of

OFF_BY_ONE = ("strides", "pads", "bounds")


@dataclass
class NumberFaults:
    """All there are: of each kind and layer the numbers, as region and element. `mve`: of forms for cores with it."""

    program: Program
    regions: Sequence[Region]
    mve: bool = False
    places: dict[str, dict[int, list[tuple[int, int]]]] = field(init=False)

    def __post_init__(self) -> None:
        self.places = defaultdict(lambda: defaultdict(list))
        taps = {r.operator: r.content[0] for r in self.regions if r.name.endswith(".taps")}
        for number, region in enumerate(self.regions):
            op = self.program.ops[region.operator]
            form = op.mve if self.mve else None
            kernel, blocks = (form.kernel, blocks_of(form)) if form else (op.kernel, 0)
            for element in range(len(region.content) // region.element_bytes):
                kind = role_of(region, element, kernel, taps.get(region.operator, 0), blocks)
                self.places[kind][region.operator].append((number, element))

    def room(self, kind: str) -> int:
        """How many faults of a kind there are."""
        return sum(self._width(kind, region) for layer in self.places[kind].values() for region, _ in layer)

    def sample(self, kind: str, count: int, source: random.Random) -> list[EngineFault]:
        """`count` different ones, layers and bits in turns."""
        piles = []
        for layer in sorted(self.places[kind]):
            by_bit: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for region, element in self.places[kind][layer]:
                for bit in range(self._width(kind, region)):
                    by_bit[bit].append((region, element))
            bits = sorted(by_bit)
            source.shuffle(bits)
            for places in by_bit.values():
                source.shuffle(places)
            piles.append((bits, by_bit))
        source.shuffle(piles)
        found: list[EngineFault] = []
        while len(found) < count and any(by_bit for _, by_bit in piles):
            for bits, by_bit in piles:
                if not by_bit or len(found) == count:
                    continue
                bit = bits.pop(0)
                region, element = by_bit[bit].pop()
                if by_bit[bit]:
                    bits.append(bit)
                else:
                    del by_bit[bit]
                found.append(self._fault(kind, region, element, bit))
        return found

    def _width(self, kind: str, region: int) -> int:
        """Faults of one number: its bits, or one less and one more."""
        return 8 * self.regions[region].element_bytes if kind in BITS else 2

    def _fault(self, kind: str, number: int, element: int, bit: int) -> EngineFault:
        region = self.regions[number]
        size = region.element_bytes
        value = int.from_bytes(region.content[element * size : (element + 1) * size], "little")
        changed = value ^ 1 << bit if kind in BITS else (value + (1 if bit else -1)) % (1 << 8 * size)
        what = f"bit {bit}" if kind in BITS else ("one more" if bit else "one less")
        place = region.name if region.is_parameter else f"{region.name}[{element}]"
        change = ByteChange(number, element * size, changed.to_bytes(size, "little"))
        return EngineFault(
            kind, region.operator, layer_name(self.program, region.operator), f"{place}, {what}", (change,)
        )


def layer_name(program: Program, number: int) -> str:
    """How messages name an operator of the C: its number in the .tflite, and its kind."""
    op = program.ops[number]
    return f"operator {op.operator.index} ({op.name})"
