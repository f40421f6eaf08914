# SPDX-License-Identifier: Apache-2.0
"""PlatformIO development platform of the simulated boards; PlatformIO derives the class's name from platform.json."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from platformio.public import PlatformBase

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # PlatformIO loads this file by path, outside the package
    sys.path.insert(0, str(ROOT))

from pipeline.platformio import ensure_core  # noqa: E402


class SimulatedPlatform(PlatformBase):  # type: ignore[misc]
    def is_embedded(self) -> bool:
        return True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Provide SCons before PlatformIO looks for it, so that a `pio run` typed by hand needs no preparation."""
        super().__init__(*arguments, **options)
        ensure_core(Path(self.config.get("platformio", "core_dir")))
