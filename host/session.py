# SPDX-License-Identifier: Apache-2.0
"""The one way to a board: start it or open its port, hear what it runs, and refuse another model than the build's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.core.manifest import Manifest, TensorSpec, read_manifest
from tinyproof.host.inference import Inference
from tinyproof.host.protocol.messages import Info, parse_info
from tinyproof.host.targets.board_port import board_port
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of


@dataclass(frozen=True)
class Session:
    """A board that runs the build's model. `x`, `y`: the model's input and output; `client` counts requests."""

    manifest: Manifest
    x: TensorSpec
    y: TensorSpec
    info: Info
    inference: Inference
    client: Link

    @property
    def repeats(self) -> int:
        """Requests sent again since the port was opened."""
        return self.client.repeats

    @property
    def resets(self) -> int:
        """Restarts of the board between inferences."""
        return self.inference.resets


@contextlib.contextmanager
def open_session(
    board: Board,
    build_dir: Path,
    port: str | None,
    config: CheckConfig,
    *,
    manifest: Manifest | None = None,
    record_bytes: int | None = None,
) -> Iterator[Session]:
    """A greeted board, which is asked again who it is whenever it has restarted.

    Without `port`, a simulated board is started, and the reference device for board `reference`. `manifest`: the
    build's, where the caller goes by one that it has read already. `record_bytes`: the size of the record that the
    profiling firmware answers with, where that firmware is wanted instead of the model's.
    Raises BoardError when the board is absent, silent or runs something else, UsageError when the build is incomplete,
    EnvironmentFaultError when the emulator is missing or stops.
    """
    manifest = manifest or read_manifest(build_dir)
    x, y = tensors_of(manifest)
    with board_port(board, build_dir, port) as name, open_client(board, name, config) as (client, first):

        def accept(info: Info) -> Info:
            if record_bytes is None:
                _refuse_other_model(info, manifest.model_id, (x.bytes, y.bytes), name)
            elif (info.model, info.engine) != (manifest.model_id, "profile") or (
                (info.in_bytes, info.out_bytes) != (x.bytes, record_bytes)
            ):
                raise BoardError(f"board {board.name} does not run the profiling firmware of this build")
            return info

        info = accept(first)
        inference = Inference(client, info, lambda: accept(parse_info(client.request("info"))))
        yield Session(manifest, x, y, info, inference, client)


@contextlib.contextmanager
def open_client(board: Board, port: str, config: CheckConfig) -> Iterator[tuple[Link, Info]]:
    """The open port, and what the board behind it says of itself, whatever it runs: a board that resets when its port
    opens gets the time that it needs to boot. Raises BoardError when it is absent or silent."""
    policy = policy_of(board)
    with Link(port, policy, config.timeout_s, config.retries) as client:
        yield client, parse_info(client.request("info", config.retries + int(policy.boot_s / config.timeout_s)))


def tensors_of(manifest: Manifest) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of an exported model. Raises UsageError where there is none yet."""
    if len(manifest.inputs) != 1 or len(manifest.outputs) != 1 or not re.fullmatch("[0-9a-f]{16}", manifest.model_id):
        raise UsageError(f"build/{manifest.model} is not exported yet; run ./tinyproof export first")
    return manifest.inputs[0], manifest.outputs[0]


def _refuse_other_model(info: Info, model_id: str, sizes: tuple[int, int], port: str) -> None:
    if info.model != model_id:
        raise BoardError(
            f"the board on {port} runs model {info.model}, this build is {model_id}; "
            "build and flash again, or check the build that is on the board (--model)"
        )
    if (info.in_bytes, info.out_bytes) != sizes:
        raise BoardError(
            f"the board takes {info.in_bytes} bytes and gives {info.out_bytes}, the model takes {sizes[0]} "
            f"and gives {sizes[1]}; build and flash again"
        )
