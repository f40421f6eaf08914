# SPDX-License-Identifier: Apache-2.0
"""Reads the times of a profiling firmware's operators: its output tensor is a record of them (engine_profile.c)."""

from __future__ import annotations

import struct
from pathlib import Path

from host.checking import read_vectors, tensors_of
from host.emulator import Emulator
from host.inference import Inference
from host.link import Link
from host.ports import policy_of
from host.replies import Info, parse_info
from pipeline.boards import Board
from pipeline.config import CheckConfig
from pipeline.errors import BoardError, MismatchError
from pipeline.manifest import read_manifest

INPUTS = 4  # of the build's vectors; most operators take the same number of steps for every input


def measure_steps(board: Board, build_dir: Path, elf: Path, steps: int, config: CheckConfig) -> list[list[int]]:
    """Ticks of each of `steps` operators, one list for each input asked; what timing itself costs is taken off.

    Raises MismatchError when the firmware's bits are not the golden reference's: then its times mean nothing.
    """
    manifest = read_manifest(build_dir)
    x_tensor, y_tensor = tensors_of(manifest)
    vectors, _ = read_vectors(build_dir)
    times_bytes = 4 * (steps + 1)

    with (
        Emulator(board, elf) as emulator,
        Link(emulator.port, policy_of(board), config.timeout_s, config.retries) as link,
    ):

        def greet() -> Info:
            info = parse_info(link.request("info"))
            if (info.model, info.engine, info.in_bytes, info.out_bytes) != (
                *(manifest.model_id, "profile"),
                *(x_tensor.bytes, times_bytes + y_tensor.bytes),
            ):
                raise BoardError(f"board {board.name} does not run the profiling firmware of this build")
            return info

        inference = Inference(link, greet(), greet)
        found = []
        for content, golden in vectors[:: max(1, len(vectors) // INPUTS)][:INPUTS]:
            record = bytes(q & 0xFF for q in inference.by_parts(content).q)
            if record[times_bytes:] != golden:
                raise MismatchError(f"the profiling firmware on {board.name} answers other bits than the reference")
            *times, empty = struct.unpack(f"<{steps + 1}I", record[:times_bytes])
            found.append([max(0, ticks - empty) for ticks in times])
    return found
