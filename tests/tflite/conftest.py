# SPDX-License-Identifier: Apache-2.0
"""The writer of test models lives with the exporter's tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "export"))
