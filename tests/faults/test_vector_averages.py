# SPDX-License-Identifier: Apache-2.0
"""Every sum of a window on a Cortex-M55, whose kernel of averages divides in assembly of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from support.compiled import compiled
from support.op_rows.pooling import SAME, VALID, pool

from tinyproof.core.board_spec import find_board
from tinyproof.faults.campaign import Campaign
from tinyproof.faults.equivalence import Equivalence
from tinyproof.faults.fault import EngineFault
from tinyproof.faults.native.engine import ByteChange
from tinyproof.faults.vector_averages import VectorAverages

BOARD = find_board("qemu-cortex-m55")
FULL = (-128, 127)


def campaign_of(folder: Path, window: tuple[int, int], padding: int) -> Campaign:
    tflite = pool("AVERAGE_POOL_2D", (1, *window, 6), window, (1, 1), padding)
    return Campaign(compiled(folder / "net", tflite), BOARD, folder / "native", 1)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return campaign_of(tmp_path_factory.mktemp("pool"), (5, 5), VALID)


def number_of(campaign: Campaign, name: str) -> tuple[int, int]:
    """A region, and its first number."""
    place = [region.name for region in campaign.engine.regions].index(name)
    region = campaign.engine.regions[place]
    return place, int.from_bytes(region.content[: region.element_bytes], "little")


def changed(campaign: Campaign, kind: str, name: str, bit: int) -> EngineFault:
    place, old = number_of(campaign, name)
    size = campaign.engine.regions[place].element_bytes
    return EngineFault(kind, 0, "", "", (ByteChange(place, 0, (old ^ 1 << bit).to_bytes(size, "little")),))


def averages(count: int, clamp: tuple[int, int] = FULL, divisor: tuple[int, ...] = ()) -> npt.NDArray[np.int64]:
    """C's division with half of the count added away from zero, or by a reciprocal and a shift (VMULH, VSHL)."""
    sums = np.arange(-128 * count, 127 * count + 1)
    magnitudes = np.abs(sums) + count // 2
    quotients = magnitudes // count if not divisor else 2 * magnitudes * divisor[0] >> 32 >> divisor[1]
    result: npt.NDArray[np.int64] = np.clip(np.where(sums > 0, quotients, -quotients), *clamp)
    return result


@pytest.mark.parametrize("window", [(1, 1), (2, 3), (25, 5)])
def test_every_sum_is_divided_as_c_divides(tmp_path: Path, window: tuple[int, int]) -> None:
    campaign = campaign_of(tmp_path, window, VALID)
    vectors = VectorAverages(tmp_path / "averages", BOARD.build.kernels)
    count = window[0] * window[1]
    divisor = tuple(number_of(campaign, f"op0_{name}")[1] for name in ("reciprocals", "shifts"))
    for clamp in (FULL, (-20, 90)):
        assert np.array_equal(vectors.average((count, *divisor), clamp), averages(count, clamp))


@pytest.mark.nightly
def test_only_bits_that_no_sum_shows_are_equivalent(campaign: Campaign, tmp_path: Path) -> None:
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path)
    (_, reciprocal), (_, shift) = (number_of(campaign, f"op0_{name}") for name in ("reciprocals", "shifts"))
    right = averages(25)
    none = [bit for bit in range(32) if np.array_equal(averages(25, divisor=(reciprocal ^ 1 << bit, shift)), right)]
    some = [bit for bit in range(32) if bit not in none]
    assert min(len(none), len(some)) >= 5
    shown = equivalence.shown(changed(campaign, "multipliers", "op0_reciprocals", none[-1]))
    assert shown == "6,376 sums of windows, all there are, become the same bytes"
    assert equivalence.shown(changed(campaign, "multipliers", "op0_reciprocals", some[0])) == ""
    for bit, is_none in ((0, False), (6, False), (7, True), (20, True), (31, False)):
        assert bool(equivalence.shown(changed(campaign, "clamps", "op0.clamp_max", bit))) == is_none
        assert bool(equivalence.shown(changed(campaign, "clamps", "op0.clamp_min", bit))) == is_none


def test_nothing_else_is_said_of_its_numbers(campaign: Campaign, tmp_path: Path) -> None:
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path)
    place, _ = number_of(campaign, "op0.padding_width")
    same = ByteChange(place, 0, campaign.engine.regions[place].content)
    assert equivalence.shown(EngineFault("pads", 0, "", "", (same,))) == ""


@pytest.mark.nightly
def test_windows_of_all_sizes_are_tried(tmp_path: Path) -> None:
    campaign = campaign_of(tmp_path, (3, 3), SAME)  # four, six and nine elements
    equivalence = Equivalence(campaign.build_dir, campaign.compiled, campaign.engine, tmp_path / "forms")
    shown = equivalence.shown(changed(campaign, "clamps", "op0.clamp_max", 9))
    assert shown.startswith(f"{255 * (4 + 6 + 9) + 3:,} sums")
