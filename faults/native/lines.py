# SPDX-License-Identifier: Apache-2.0
"""Which lines of the kernels a model's inferences run, as gcov counts them on this machine."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from tinyproof.faults.native.source import ENGINE, run_gcc


def executed_lines(folder: Path) -> set[tuple[str, int]]:
    """Of what was compiled with --coverage in `folder` and has run: file of the engine, and line."""
    run_gcc(["gcov", "--json-format", "--object-directory", str(folder), str(folder / "unit.gcda")], folder)
    found = set()
    for file in folder.glob("*.gcov.json.gz"):
        with gzip.open(file) as content:
            document = json.load(content)
        for part in document["files"]:
            path = Path(part["file"])
            if path.is_absolute() and path.is_relative_to(ENGINE):
                name = path.resolve().relative_to(ENGINE.resolve()).as_posix()
                found |= {(name, line["line_number"]) for line in part["lines"] if line["count"]}
    return found
