# SPDX-License-Identifier: Apache-2.0
"""A build folder of a model whose bytes a test has made."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.manifest import Manifest
from tinyproof.export.export import TFLITE_FILE, compile_model


def compiled(folder: Path, tflite: bytes, ram: str = "") -> Path:
    """The folder with the model, its C, its vectors and its manifest, which has the folder's name. `ram`: a budget, as
    `export --ram` takes it."""
    folder.mkdir(exist_ok=True)
    (folder / TFLITE_FILE).write_bytes(tflite)
    compile_model(folder, Manifest(folder.name), ram=ram)
    return folder
