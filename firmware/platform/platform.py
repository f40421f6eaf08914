# SPDX-License-Identifier: Apache-2.0
"""PlatformIO development platform of the simulated boards; PlatformIO derives the class's name from platform.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platformio.public import PlatformBase

from tinyproof.firmware.platformio_core import ensure_core


class SimulatedPlatform(PlatformBase):  # type: ignore[misc]
    """Compilers from the machine's own PATH, for boards that an emulator stands in for."""

    def is_embedded(self) -> bool:
        """As PlatformIO asks: there is no operating system."""
        return True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Provide SCons before PlatformIO looks for it, so that a `pio run` typed by hand needs no preparation."""
        super().__init__(*arguments, **options)
        ensure_core(Path(self.config.get("platformio", "core_dir")))
