# SPDX-License-Identifier: Apache-2.0
"""PlatformIO platforms of the names that real boards have, for machines that cannot fetch the real ones.

They compile nothing: an image that is there already takes the place of the firmware. What they run for an upload has
the programs and options that the real ones have, and PlatformIO, its scripts and ours are the real ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tinyproof.firmware import platformio_build, platformio_core

_PLATFORM = """
from platformio.public import PlatformBase


class {name}Platform(PlatformBase):
    def is_embedded(self):
        return True
"""
_BUILDER = """
import os, shutil, sys
from pathlib import Path
from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(PROGNAME="firmware", PROGSUFFIX=".elf")
image = Path(os.environ["STANDIN_IMAGE"])


def take(target, source, env):
    for suffix in (".elf", ".map"):
        shutil.copy(image.with_suffix(suffix), Path(str(target[0])).with_suffix(suffix))


def before_upload(target, source, env):
    env.AutodetectUploadPort()
    env.FlushSerialBuffer("$UPLOAD_PORT")
    env.TouchSerialPort("$UPLOAD_PORT", 1200)
    env.Replace(UPLOAD_PORT=env.WaitForNewSerialPort([]))


elf = env.Command("$BUILD_DIR/firmware.elf", str(image), take)
binary = env.Command("$BUILD_DIR/firmware.bin", elf, {to_binary!r})
env.Replace(UPLOADER={uploader!r}, UPLOADERFLAGS={flags!r}, UPLOADCMD={command!r})
actions = [before_upload, env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE")]
AlwaysBuild(env.Alias("upload", binary, actions))
Default(binary)
"""
_ESPTOOL = {
    "to_binary": '"$PYTHONEXE" -P -m esptool --chip {chip} elf2image --flash_mode dio --flash_freq 40m --flash_size 4MB'
    ' -o "$TARGET" "$SOURCE"',
    "flags": [
        *("--chip", "{chip}", "--port", '"$UPLOAD_PORT"', "--baud", "460800", "--before", "default_reset"),
        *("--after", "hard_reset", "write_flash", "-z", "--flash_mode", "dio", "--flash_freq", "40m"),
        *("--flash_size", "detect"),
    ],
    "uploader": "esptool",
    "command": '"$PYTHONEXE" -P -m "$UPLOADER" $UPLOADERFLAGS 0x10000 $SOURCE',
}
_BOSSAC = {
    "to_binary": 'arm-none-eabi-objcopy -O binary "$SOURCE" "$TARGET"',
    "flags": ["--port", '"$UPLOAD_PORT"', "--write", "--erase", "-U", "--reset"],
    "uploader": "bossac",
    "command": "$UPLOADER $UPLOADERFLAGS $SOURCES",
}
# PlatformIO's platform and version as platformio.ini has them, its board, and what it uploads with.
_PLATFORMS = (
    ("espressif32", "6.13.0", {"esp32dev": "esp32", "esp32-c3-devkitm-1": "esp32c3"}, _ESPTOOL),
    ("nordicnrf52", "10.11.0", {"nano33ble": "nrf52840"}, _BOSSAC),
)


def write_standins(core: Path, chip: str = "esp32") -> None:
    """PlatformIO with the core folder `core` has the platforms. What a build comes to is the ELF, beside its map, that
    STANDIN_IMAGE names in the environment."""
    platformio_core.ensure_core(core)
    for name, version, boards, how in _PLATFORMS:
        folder = core / "platforms" / name
        (folder / "boards").mkdir(parents=True)
        (folder / "builder").mkdir()
        about = {"name": name, "version": version, "title": name, "packages": {}, "frameworks": {"arduino": {}}}
        (folder / "platform.json").write_text(json.dumps(about))
        spec = {"owner": "platformio", "id": None, "name": name, "requirements": None, "uri": None}
        piopm = {"type": "platform", "name": name, "version": version, "spec": spec}
        (folder / ".piopm").write_text(json.dumps(piopm))
        (folder / "platform.py").write_text(_PLATFORM.format(name=name.capitalize()))
        for board, mcu in boards.items():
            document = {"name": board, "vendor": "-", "url": "-", "build": {"mcu": mcu}, "frameworks": ["arduino"]}
            (folder / "boards" / f"{board}.json").write_text(
                json.dumps(document | {"upload": {"maximum_size": 1 << 20}})
            )
        flags = [flag.replace("{chip}", chip) for flag in how["flags"]]
        filled = {**how, "to_binary": str(how["to_binary"]).replace("{chip}", chip), "flags": flags}
        (folder / "builder" / "main.py").write_text(_BUILDER.format(**filled))


def use_standins(monkeypatch: pytest.MonkeyPatch, core: Path, image: Path, chip: str = "esp32") -> None:
    """The same for builds of this process, whose image is `image`."""
    write_standins(core, chip)
    monkeypatch.setattr(platformio_build, "CORE", core)
    monkeypatch.setattr(platformio_build, "ensure_core", lambda: platformio_core.ensure_core(core))
    monkeypatch.setitem(os.environ, "STANDIN_IMAGE", str(image))
