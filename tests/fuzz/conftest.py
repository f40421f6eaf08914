# SPDX-License-Identifier: Apache-2.0
"""Makes the modules of this folder and the builder of operator cases importable."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "ops"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
