# SPDX-License-Identifier: Apache-2.0
"""PlatformIO without its registry: a core folder inside the project, with SCons from the Python environment.

PlatformIO runs SCons out of a package of its own registry, `tool-scons`. That package is SCons itself, and PyPI has
the same version: a folder of three small files stands in for it. The two versions are pinned together in
pyproject.toml and here.
"""

from __future__ import annotations

import json
from pathlib import Path

from tinyproof.core.files import write_at_once
from tinyproof.core.paths import BUILD, FIRMWARE

CORE = BUILD / ".platformio"
TOOL_SCONS_VERSION = "4.41101.0"  # what PlatformIO 6.2.0 asks for: SCons 4.11.1

_SCONS_PY = """\
# SPDX-License-Identifier: Apache-2.0
import sys

try:
    from SCons.Script import main
except ModuleNotFoundError:
    sys.exit("error: SCons is missing from " + sys.prefix + "; start PlatformIO from the project's .venv")

main()
"""

_FILES = {
    "packages/tool-scons/package.json": json.dumps({"name": "tool-scons", "version": TOOL_SCONS_VERSION}),
    "packages/tool-scons/.piopm": json.dumps(
        {
            "type": "tool",
            "name": "tool-scons",
            "version": TOOL_SCONS_VERSION,
            "spec": {"owner": "platformio", "id": None, "name": "tool-scons", "requirements": None, "uri": None},
        }
    ),
    "packages/tool-scons/scons.py": _SCONS_PY,
    # Offline by intent: neither usage reports nor a search for upgrades.
    "appstate.json": json.dumps({"settings": {"enable_telemetry": False, "check_platformio_interval": 36500}}),
}


def ensure_core(core: Path = CORE) -> None:
    """Make `core` a working PLATFORMIO_CORE_DIR of this firmware/; costs nothing when it already is one."""
    for link in core.glob("platforms/*.pio-link"):  # how PlatformIO keeps `platform = symlink://platform`
        if _is_foreign(link):
            link.unlink(missing_ok=True)
    for name, content in _FILES.items():
        path = core / name
        # PlatformIO keeps its own notes in appstate.json, so that one is only ever begun.
        if path.name != "appstate.json" or not path.is_file():
            write_at_once(path, content)


def _is_foreign(link: Path) -> bool:
    """Whether it leads to the clone that this one was copied from: that one's platform would build ours."""
    try:
        content = json.loads(link.read_text(encoding="utf-8"))
        place = Path(content["cwd"]) / str(content["spec"]["uri"]).removeprefix("symlink://")
        return place.resolve() != (FIRMWARE / "platform").resolve()
    except (OSError, ValueError):
        return False  # another build is about to write or remove it
