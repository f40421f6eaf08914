# SPDX-License-Identifier: Apache-2.0
"""The form of a layer for cores with MVE (Cortex-M55): its kernel in firmware/lib/engine/kernels_mve/, and tables that
lie in the order in which that reads them.

The generated code has both forms of such a layer; the include path decides which of them is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyproof.export.ops.base import Constant, MveForm
from tinyproof.export.ops.scaling import Scaling

LANES = 16  # bytes of a vector
UNITS = 4  # that dense kernels take at a time
MAX_DEPTHWISE_TAPS = 256  # see kernels_mve/kernels/depthwise_mve.h
# Of 16 bytes, where the four numbers of a vector stand after they were widened twice, bottom and top halves apart.
WIDENED = ((0, 4, 8, 12), (2, 6, 10, 14), (1, 5, 9, 13), (3, 7, 11, 15))


def convolution(window: str, rows: Sequence[Sequence[int]], scaling: Scaling, *, direct: bool) -> MveForm:
    """CONV_2D, or several rows of a dense layer; `direct`: a pixel's input is one tap that is always inside."""
    blocks = _blocks(rows)
    numbers = {"window": window, "units": str(len(rows)), "blocks": str(blocks), "direct": str(int(direct))}
    return MveForm(
        kernel=f"conv{scaling.kernel_infix}_mve_s8",
        struct="conv_mve_s8",
        make_constants=lambda: (_fours(rows, scaling),),
        members=numbers | scaling.parameters,
        scratch_bytes=2 * LANES * blocks,
    )


def fully_connected(batches: int, rows: Sequence[Sequence[int]], scaling: Scaling) -> MveForm:
    """A dense layer that needs no scratch."""
    numbers = {"batches": batches, "depth": len(rows[0]), "units": len(rows)}
    return MveForm(
        kernel=f"fully_connected{scaling.kernel_infix}_mve_s8",
        struct="fully_connected_mve_s8",
        make_constants=lambda: (_fours(rows, scaling),),
        members={name: str(number) for name, number in numbers.items()} | scaling.parameters,
        scratch_bytes=0,
    )


@dataclass(frozen=True)
class Inside:
    """Output pixels, along a dimension, of whose taps none leaves the image: from, up to."""

    start: int
    stop: int

    @classmethod
    def along(cls, outputs: int, size: int, reach: int, stride: int, pad: int) -> Inside:
        """`reach`: from the kernel's first position to its last."""
        inside = [place for place in range(outputs) if 0 <= place * stride - pad < size - reach]
        return cls(inside[0], inside[-1] + 1) if inside else cls(0, 0)


def depthwise(
    window: str,
    rows: Sequence[Sequence[int]],
    scaling: Scaling,
    inside: tuple[Inside, Inside],
    stride_x: int,
    strip: int = 0,
    kernel_height: int = 0,
    kept: tuple[int, int] = (0, 0),
) -> MveForm:
    """One output channel per input channel; `rows` are the taps of each, `inside` rows and columns of the output.

    `strip`: pixels of an input row with its borders, of which `kernel_height` are copied for a row of outputs; `inside`
    is then all of the output. `kept`: so many rows of the input are copied where the output begins with it, and their
    bytes.
    """
    taps, channels = len(rows[0]), len(rows)
    columns = inside[1].stop - inside[1].start
    fold = max(min(LANES // channels, columns), 1) if stride_x == 1 else 1
    numbers = {"units": channels, "taps": taps, "rows_from": inside[0].start, "rows_to": inside[0].stop}
    numbers |= {"columns_from": inside[1].start, "steps": columns // fold, "fold": fold, "rest": columns % fold}
    numbers |= {"strip": strip, "kept": kept[0]}
    return MveForm(
        kernel=f"depthwise{scaling.kernel_infix}_mve_s8",
        struct="depthwise_mve_s8",
        make_constants=lambda: _depthwise_tables(rows, scaling, fold),
        members={"window": window} | {name: str(number) for name, number in numbers.items()} | scaling.parameters,
        scratch_bytes=4 * taps + channels * kernel_height * strip if strip else 8 * taps + channels + kept[1],
    )


def _depthwise_tables(rows: Sequence[Sequence[int]], scaling: Scaling, fold: int) -> tuple[Constant, ...]:
    """Of `fold` pixels side by side."""
    taps, channels = len(rows[0]), len(rows)
    units = range(-(-fold * channels // LANES) * LANES)
    weights: list[int] = []
    scales: list[int] = []
    for start in units[::LANES]:
        block = [
            rows[unit % channels] if unit < fold * channels else (0,) * taps for unit in units[start : start + LANES]
        ]
        weights += [weight for tap in zip(*block, strict=True) for weight in tap]
        for places in WIDENED:
            four = [(start + place) % channels for place in places]
            scales += scaling.bias_of(four) + scaling.factors_of(four)
    return Constant("weights", "int8_t", weights), Constant("scales", "int32_t", scales)


def _blocks(rows: Sequence[Sequence[int]]) -> int:
    return -(-len(rows[0]) // LANES)


def _fours(rows: Sequence[Sequence[int]], scaling: Scaling) -> Constant:
    """Tables of a dense layer, filled up with rows of zeros."""
    depth = LANES * _blocks(rows)
    full = [[*row, *(0,) * (depth - len(row))] for row in rows] + [[0] * depth] * (-len(rows) % UNITS)
    table: list[int] = []
    for start in range(0, len(full), UNITS):
        units = range(start, start + UNITS)
        table += _bytes(scaling.bias_of(units))
        for place in range(0, depth, LANES):
            for unit in units:
                table += full[unit][place : place + LANES]
        table += _bytes(scaling.factors_of(units))
    return Constant("fours", "int8_t", table, alignment=4)


def _bytes(numbers: Iterable[int]) -> list[int]:
    """Numbers of 32 bits as int8, lowest byte first."""
    each = [(number >> place) % 256 for number in numbers for place in (0, 8, 16, 24)]
    return [byte - 256 * (byte > 127) for byte in each]
