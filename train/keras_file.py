# SPDX-License-Identifier: Apache-2.0
"""A .keras file with the same bytes for the same model."""

from __future__ import annotations

import io
import json
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip entry can name
DATE_SAVED = "1980-01-01@00:00:00"  # the same in Keras's notation; kept because Keras's own file editor asks for it


def save_model(model: Any, path: Path) -> None:
    """Write a Keras model in the .keras format (a zip), without the clock readings and addresses Keras puts in it."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        # Keras reads its own variables in a way that NumPy 2 announces to drop; nothing a caller could change.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        unsettled = Path(folder) / "model.keras"
        model.save(unsettled)
        path.write_bytes(_settled(unsettled.read_bytes()))


def _settled(archive: bytes) -> bytes:
    settled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(settled, "w") as target:
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": DATE_SAVED}).encode()
            elif name == "config.json":
                content = json.dumps(_renumbered(json.loads(content), {})).encode()
            target.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return settled.getvalue()


def _renumbered(node: Any, numbers: dict[int, int]) -> Any:
    """Keras tells shared objects apart by their memory address; number them in order of appearance instead."""
    if isinstance(node, dict):
        return {
            key: numbers.setdefault(value, len(numbers)) if key == "shared_object_id" else _renumbered(value, numbers)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    return node
