# SPDX-License-Identifier: Apache-2.0
"""What is `cold` within a kernel, to be small, leaves the model's other layers as fast as they were."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.compiled import compiled
from support.image_nets import mobile, residual

from tinyproof.core.board_spec import find_board
from tinyproof.core.paths import FIRMWARE

ENGINE = FIRMWARE / "lib" / "engine"


def functions_built_for_size(name: str, folder: Path) -> set[str]:
    """Of a model's C, as the board's compiler sees it: those that GCC takes to run hardly ever."""
    build = find_board(name).build
    found = [*(ENGINE / kernels for kernels in build.kernels), ENGINE, folder]
    target = folder / "model.o"
    command = [f"{build.toolchain}gcc", "-std=c99", *build.flags, "-O2", "-ffunction-sections", "-c"]
    command += [*(f"-I{place}" for place in found), str(folder / "model_compiled.c"), "-o", str(target)]
    subprocess.run(command, check=True)
    listed = subprocess.run(
        [f"{build.toolchain}objdump", "-h", str(target)], check=True, capture_output=True, text=True
    )
    cold = ".text.unlikely."
    return {word.removeprefix(cold) for word in listed.stdout.split() if word.startswith(cold)}


@pytest.mark.parametrize("net", [pytest.param(mobile, marks=pytest.mark.nightly), residual])
def test_only_parts_of_kernels_are_built_for_size(tmp_path: Path, net: Callable[[], bytes]) -> None:
    cold = functions_built_for_size("qemu-cortex-m4", compiled(tmp_path / "net", net()))
    assert "conv_pixels" in cold
    assert {"model_run", "add_s8_shared"} & cold == set()
