# SPDX-License-Identifier: Apache-2.0
"""The native harness and the writer of test models live with the exporter's tests."""

from __future__ import annotations

import sys
from pathlib import Path

EXPORT_TESTS = str(Path(__file__).resolve().parent.parent / "export")
if EXPORT_TESTS not in sys.path:
    sys.path.append(EXPORT_TESTS)
