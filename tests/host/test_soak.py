# SPDX-License-Identifier: Apache-2.0
"""At night, for hours of a board's life: one simulated board asked over and over, and bad lines of many seeds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.fake_build import BOARD
from support.faulty_board import Faults, FaultyBoard

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.host.targets.emulator import Emulator, firmware_elf

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800)]
QEMU = find_board("qemu-cortex-m4")
CHECKS = 200  # of 256 inferences each


def test_a_board_answers_the_fiftieth_thousand_time_as_the_first(
    lesson_models: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(lesson_models["sine"], tmp_path / "sine"))
    build(QEMU, folder)
    with Emulator(QEMU, firmware_elf(QEMU, folder)) as emulator:
        seen = set()
        for _ in range(CHECKS):
            report = check(QEMU, folder, emulator.port, CheckConfig(timeout_s=30.0))
            assert report.proven
            seen.add((report.bits.ticks_min, report.bits.ticks_max, report.bits.resets))
    assert len(seen) == 1, "instruction counts drift, or the board has restarted"


@pytest.mark.parametrize("seed", range(100, 150))
def test_bad_lines_of_many_seeds_are_overcome(
    build_dir: Path, start_board: Callable[..., FaultyBoard], seed: int
) -> None:
    faults = Faults(
        seed, drop=0.02, garble=0.02, garble_request=0.05, duplicate=0.2, delay=0.02, delay_s=0.1, reset_at=(seed,)
    )
    report = check(BOARD, build_dir, start_board(faults).port, CheckConfig(timeout_s=0.05, retries=20))
    assert report.proven
    assert report.bits.repeats > 0
    assert report.bits.resets == 1
