# SPDX-License-Identifier: Apache-2.0
"""The writer of test models lives with the exporter's tests, the scripted boards with those of the boards."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("export", "boards"):
    path = str(Path(__file__).resolve().parent.parent / folder)
    if path not in sys.path:
        sys.path.append(path)
