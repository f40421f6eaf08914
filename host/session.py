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
from tinyproof.core.tflite.tensor_layout import TensorLayout
from tinyproof.host.inference import Inference
from tinyproof.host.protocol.messages import Info, parse_info
from tinyproof.host.targets.board_port import board_port
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of

SPARE_REQUESTS = 20  # that a whole check may lose
SPARE_SHARE = 1.25


@dataclass(frozen=True)
class Session:
    """A board that runs the build's model. `x`, `y`: the model's inputs and outputs; `client` counts requests."""

    manifest: Manifest
    x: TensorLayout
    y: TensorLayout
    info: Info
    inference: Inference
    client: Link

    def begin(self) -> None:
        """Brings a model with state to where it begins."""
        if self.info.state_bytes:
            self.inference.reset()

    def expect(self, inferences: int, config: CheckConfig) -> None:
        """Limits the time that so many inferences take together: each request of them its timeout, and a quarter more
        for repeats, or what the configuration says."""
        requests = inferences * (self.inference.most_requests + (1 if self.info.state_bytes else 0))
        self.client.limit(config.total_s or config.timeout_s * (SPARE_REQUESTS + requests * SPARE_SHARE))

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
    request_bytes: int = 0,
) -> Iterator[Session]:
    """A greeted board, which is asked again who it is whenever it has restarted.

    Without `port`, a simulated board is started, and the reference device for board `reference`. `manifest`: the
    build's, where the caller goes by one that it has read already. `record_bytes`: the size of the record that the
    profiling firmware answers with, where that firmware is wanted instead of the model's; `request_bytes`: of what it
    takes behind the model's inputs.
    Raises BoardError when the board is absent, silent or runs something else, UsageError when the build is incomplete,
    EnvironmentFaultError when the emulator is missing or stops.
    """
    manifest = manifest or read_manifest(build_dir)
    x, y = layouts_of(manifest)
    expected = y if record_bytes is None else bytes_alone(record_bytes)
    with board_port(board, build_dir, port) as name, open_client(board, name, config) as (client, first):

        def accept(info: Info) -> Info:
            if port is None and board.kind == "simulated" and info.board != board.name:
                raise BoardError(
                    f"what was started as {board.name} is the firmware of {info.board}; "
                    f"run ./tinyproof build --board {board.name} again"
                )
            if record_bytes is None:
                _refuse_other_model(info, manifest.model_id, x, y, name)
            elif (info.model, info.engine) != (manifest.model_id, "profile") or (
                (info.in_bytes, info.out_bytes) != (x.size_bytes + request_bytes, record_bytes)
            ):
                raise BoardError(f"board {board.name} does not run the profiling firmware of this build")
            return info

        info = accept(first)
        inference = Inference(client, info, (x, expected), lambda: accept(parse_info(client.request("info"))))
        yield Session(manifest, x, y, info, inference, client)


@contextlib.contextmanager
def open_client(board: Board, port: str, config: CheckConfig) -> Iterator[tuple[Link, Info]]:
    """The open port, and what the board behind it says of itself, whatever it runs: a board that resets when its port
    opens gets the time that it needs to boot. Raises BoardError when it is absent or silent."""
    policy = policy_of(board)
    with Link(port, policy, config.timeout_s, config.retries) as client:
        info = parse_info(client.request("info", config.retries + int(policy.boot_s / config.timeout_s)))
        client.speed.want(config.baud or (board.serial.fast_baud if info.base_baud else 0), info.base_baud)
        yield client, info


def layouts_of(manifest: Manifest) -> tuple[TensorLayout, TensorLayout]:
    """Inputs and outputs of an exported model. Raises UsageError where there are none yet."""
    if not manifest.inputs or not manifest.outputs or not re.fullmatch("[0-9a-f]{16}", manifest.model_id):
        raise UsageError(f"the model {manifest.model} is not exported yet; run ./tinyproof export first")
    return TensorLayout(tuple(manifest.inputs)), TensorLayout(tuple(manifest.outputs))


def bytes_alone(size: int) -> TensorLayout:
    """A record that is no tensor, as the profiling firmware gives it."""
    return TensorLayout((TensorSpec("record", [size], "int8", 1.0, 0, size),))


def _refuse_other_model(info: Info, model_id: str, x: TensorLayout, y: TensorLayout, port: str) -> None:
    if info.model != model_id:
        raise BoardError(
            f"the board on {port} runs model {info.model}, this build is {model_id}; "
            "build and flash again, or check the build that is on the board (--model)"
        )
    types = f"{x.types}/{y.types}"
    if (info.in_bytes, info.out_bytes, info.types) != (x.size_bytes, y.size_bytes, types):
        raise BoardError(
            f"the board takes {info.in_bytes} bytes and gives {info.out_bytes} ({info.types}), the model takes "
            f"{x.size_bytes} and gives {y.size_bytes} ({types}); build and flash again"
        )
