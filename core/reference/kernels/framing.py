# SPDX-License-Identifier: Apache-2.0
"""SignalFramer, SignalStacker, SignalOverlapAdd and SignalDelay by queues, as TFLite Micro has them."""

from __future__ import annotations

import numpy as np

from tinyproof.core.reference.bound_operator import Array, BoundOperator, computes, to_type
from tinyproof.core.reference.kernels.signals import options

_TRUE = np.array(1, np.int64)


def _queues(op: BoundOperator, count: int, zeros: int) -> list[list[int]]:
    """One of each row; zeros wait in it at first."""
    queues: list[list[int]] = op.private.setdefault("queues", [[0] * zeros for _ in range(count)])
    return queues


@computes("CUSTOM SignalFramer")
def framer(op: BoundOperator, x: Array) -> list[Array]:
    """framer.cc."""
    option = options(op)
    size, step = option["frame_size"], option["frame_step"]
    rows = x.reshape(-1, x.shape[-1])
    frames = []
    for row, queue in zip(rows, _queues(op, len(rows), size - step if option["prefill"] else 0), strict=True):
        for start in range(0, row.size, step):
            queue += row[start : start + step].tolist()
            frames.append(queue[:size])
            del queue[:step]
    return [np.array(frames, np.int64), _TRUE]


@computes("CUSTOM SignalStacker")
def stacker(op: BoundOperator, x: Array) -> list[Array]:
    """stacker.cc."""
    option = options(op)
    channels, left = option["num_channels"], option["stacker_left_context"]
    frame = x[:channels].tolist()
    queue = op.private.setdefault("queue", frame * left)
    queue += frame
    stack = np.array(queue[: (left + 1) * channels], np.int64)
    del queue[:channels]
    return [stack, _TRUE]


@computes("CUSTOM SignalOverlapAdd")
def overlap_add(op: BoundOperator, x: Array) -> Array:
    """overlap_add.cc."""
    frames, size = x.shape[-2:]
    step = options(op)["frame_step"]
    rows = x.reshape(-1, frames, size)
    sums = op.private.setdefault("sums", np.zeros((len(rows), size), np.int64))
    parts = []
    for row, waiting in zip(rows, sums, strict=True):
        for frame in row:
            waiting[:] = to_type(waiting + frame, "int16")
            parts.append(waiting[:step].copy())
            waiting[:] = np.concatenate([waiting[step:], np.zeros(step, np.int64)])
    return np.array(parts)


@computes("CUSTOM SignalDelay")
def delay(op: BoundOperator, x: Array) -> Array:
    """delay.cc."""
    rows = x.reshape(-1, x.shape[-1])
    late = []
    for row, queue in zip(rows, _queues(op, len(rows), options(op)["delay_length"]), strict=True):
        queue += row.tolist()
        late.append(queue[: row.size])
        del queue[: row.size]
    return np.array(late, np.int64)
