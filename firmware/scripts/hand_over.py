# SPDX-License-Identifier: Apache-2.0
"""PlatformIO post-script: with TINYPROOF_UPLOAD=FILE, an upload writes the command that the platform runs for it to
FILE, and runs it not. tinyproof runs it then, when the board is in its bootloader, under whichever name that has.

Without the variable nothing is changed: `pio run -t upload` by hand uploads as ever.
"""

from __future__ import annotations

import os
from typing import Any

from SCons.Script import Import

from tinyproof.firmware.scripts import note_command

Import("env")
env: Any = globals()["env"]


def leave_alone(env: Any, *arguments: Any) -> None:
    """In place of what PlatformIO does to a port before an upload."""


def same_port(env: Any, before: Any) -> str:
    """In place of waiting for the bootloader's port."""
    return str(env.subst("$UPLOAD_PORT"))


if (target := os.environ.get("TINYPROOF_UPLOAD", "")) and "UPLOADCMD" in env:
    for name in ("AutodetectUploadPort", "FlushSerialBuffer", "TouchSerialPort"):
        env.AddMethod(leave_alone, name)
    env.AddMethod(same_port, "WaitForNewSerialPort")
    env.Replace(UPLOADCMD=f'"$PYTHONEXE" -P "{note_command.__file__}" "{target}" {env["UPLOADCMD"]}')
