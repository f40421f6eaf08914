# SPDX-License-Identifier: Apache-2.0
"""A build folder made without TensorFlow, for a model that is a Python function."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.manifest import Expected, Manifest, TensorSpec, Tolerance, model_id
from tinyproof.core.tflite.arithmetic import dequantize, quantize

X = TensorSpec("x", [1, 1], "int8", 20 / 255, 0, 1)
Y = TensorSpec("y", [1, 1], "int8", 0.158, 7, 1)
ID = model_id(b"a model")
QUICK = CheckConfig(timeout_s=0.3, retries=3)
BOARD = Board("fake", "a device made of Python", "serial", "none", "us")


def line(content: bytes) -> bytes:
    """y = 2x - 1 on int8 tensors: the arithmetic that the fake devices run."""
    (x_q,) = struct.unpack("b", content)
    y_q = quantize(2 * dequantize(x_q, X.scale, X.zero_point) - 1, Y.scale, Y.zero_point)
    return bytes([y_q & 0xFF])


def make_build(
    build_dir: Path, x: TensorSpec = X, y: TensorSpec = Y, run: Callable[[bytes], bytes] = line, count: int = 256
) -> Path:
    """A build folder as `export` leaves it, for the model `run`."""
    build_dir.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(build_dir.name, ID, inputs=[x], outputs=[y], tolerance=Tolerance(0.2, {"step": 0.2}, "a step"))
    if x.bytes == 1:
        inputs = [bytes([value & 0xFF]) for value in range(-128, 128)]
        manifest.expected = [Expected([float(v)], [2.0 * v - 1], "training data") for v in (-1, 0, 1, 4, 9)]
    else:
        inputs = [bytes((7 * i + 13 * j) & 0xFF for j in range(x.bytes)) for i in range(count)]
    vectors = [{"in": content.hex(), "out": run(content).hex()} for content in inputs]
    kind = "exhaustive" if x.bytes == 1 else "random"
    document = {"kind": kind, "seed": 1, "vectors": vectors}
    (build_dir / "vectors.json").write_text(json.dumps(document))
    manifest.write(build_dir)
    return build_dir
