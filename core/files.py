# SPDX-License-Identifier: Apache-2.0
"""Files that several commands may write, and read, at the same time."""

from __future__ import annotations

import tempfile
from pathlib import Path


def write_at_once(path: Path, content: str) -> None:
    """Makes `path` hold `content`. Nobody ever reads half of it, and who writes the same changes nothing."""
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own for each writer: one shared name could be renamed away under the other.
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as partial:
        partial.write(content)
    Path(partial.name).replace(path)
