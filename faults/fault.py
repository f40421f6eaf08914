# SPDX-License-Identifier: Apache-2.0
"""What a planted fault is."""

from __future__ import annotations

from dataclasses import dataclass

from tinyproof.faults.native.engine import ByteChange


@dataclass(frozen=True)
class EngineFault:
    """`operator`: its number in the C, `layer` what it is called, both empty where a fault is in all of them. `place`
    says where and what in words; `changes` are bytes of the engine's regions."""

    kind: str
    operator: int | None
    layer: str
    place: str
    changes: tuple[ByteChange, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {f'{self.layer}, ' if self.layer else ''}{self.place}"
