# SPDX-License-Identifier: Apache-2.0
"""Builds of the firmware: what is refused, what is reproducible, what the image holds, and that it answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tinyproof.cli.package_links import link_package
from tinyproof.core.board_spec import find_board
from tinyproof.core.errors import BoardError, EnvironmentFaultError, UsageError
from tinyproof.core.paths import FIRMWARE, ROOT
from tinyproof.firmware.boot import ask, confirm
from tinyproof.firmware.elf_sizes import LAYERS, elf_size, layer_sizes, only_for_engine
from tinyproof.firmware.platformio_build import BuildResult, build, explain
from tinyproof.firmware.platformio_core import ensure_core

LOG = Path("/elsewhere/pio.log")
BOARD = find_board("qemu-cortex-m4")


@pytest.fixture(scope="session")
def built(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    folder = tmp_path_factory.mktemp("built") / "small"
    shutil.copytree(exported, folder)
    return build(BOARD, folder)


def test_the_image_answers_every_vector_and_layers_add_up(built: BuildResult) -> None:
    assert confirm(BOARD, built.elf, built.model_id).endswith("next: ./tinyproof simulate --board qemu-cortex-m4")
    with pytest.raises(BoardError, match="runs another model"):
        confirm(BOARD, built.elf, "0" * 16)
    vector = json.loads((built.elf.parents[2] / "vectors.json").read_text())["vectors"][200]
    asked = int.from_bytes(bytes.fromhex(vector["in"]), "big", signed=True)
    expected = ",".join(str(value - 256 if value > 127 else value) for value in bytes.fromhex(vector["out"]))
    assert f"ok q={expected} " in ask(BOARD, built.elf, b"q %d\n" % asked)
    document = json.loads((built.elf.parent / "build.json").read_text())
    whole = elf_size(built.elf)
    assert set(document["layers"]) == set(LAYERS)
    assert sum(layer["flash_bytes"] for layer in document["layers"].values()) == whole.flash_bytes
    assert sum(layer["ram_bytes"] for layer in document["layers"].values()) == whole.ram_bytes
    assert all(layer["flash_bytes"] > 0 for layer in document["layers"].values())


MAP = """Linker script and memory map

.text           0x00000000      0x100
 .text.model_run
                0x00000000       0x10 /b/engine/lib/engine/engine_tflm.o
 .text          0x00000010       0x20 /b/lib11d/libwhatever.a(interpreter.o)
 .text          0x00000030       0x30 /usr/lib/libgcc.a(double.o)
 .text          0x00000060       0x08 /usr/lib/libgcc.a(round.o)
 .text          0x00000068       0x18 /usr/lib/libc.a(memset.o)
 .text.main     0x00000080       0x40 /b/src/main.o

Cross Reference Table

Symbol                                            File
division                                          /usr/lib/libgcc.a(double.o)
                                                  /b/lib11d/libwhatever.a(interpreter.o)
memset                                            /usr/lib/libc.a(memset.o)
                                                  /b/src/main.o
                                                  /b/lib11d/libwhatever.a(interpreter.o)
rounding                                          /usr/lib/libgcc.a(round.o)
                                                  /usr/lib/libgcc.a(double.o)
"""


def test_what_the_engine_alone_brings_in_is_the_engine_s(built: BuildResult, tmp_path: Path) -> None:
    """Its library by whatever name, and what only that refers to, through however many others."""
    linker_map = tmp_path / "firmware.map"
    linker_map.write_text(MAP)
    assert only_for_engine(MAP) == {"/usr/lib/libgcc.a(double.o)", "/usr/lib/libgcc.a(round.o)"}
    layers = layer_sizes(built.elf, linker_map)
    assert layers["engine"].flash_bytes == 0x10 + 0x20 + 0x30 + 0x08
    assert layers["app"].flash_bytes == 0x40


def test_no_heap_no_stdio_in_the_image(built: BuildResult) -> None:
    with built.elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = {symbol.name for symbol in table.iter_symbols()}
    assert "engine_run" in symbols
    forbidden = {"malloc", "free", "_malloc_r", "_sbrk", "_sbrk_r", "printf", "strtod", "__errno", "_impure_ptr"}
    assert not symbols & forbidden


@pytest.fixture(scope="module")
def checkout(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, in which nothing is compiled yet."""
    checkout = tmp_path_factory.mktemp("else where") / "tinyproof"  # a space, as in many a name of a folder
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("api", "core", "firmware"):
        shutil.copytree(ROOT / part, checkout / part, ignore=ignore)
    link_package(checkout, checkout / "links" / "tinyproof")
    shutil.copytree(exported, checkout / "build" / "small")
    return checkout


def build_in(checkout: Path, model: str, *boards: str) -> Path:
    """Builds build/<model> by the checkout's own code; returns the folder of its boards."""
    code = (
        "import sys; from tinyproof.core.board_spec import find_board; from tinyproof.core.paths import build_dir;"
        "from tinyproof.firmware.platformio_build import build\n"
        "for name in sys.argv[2:]: build(find_board(name), build_dir(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(checkout / "links")}
    subprocess.run([sys.executable, "-c", code, model, *boards], cwd=checkout, env=environment, check=True)
    return checkout / "build" / model / "boards"


@pytest.mark.nightly
def test_another_checkout_builds_the_same_elf(built: BuildResult, checkout: Path) -> None:
    boards = build_in(checkout, "small", "qemu-cortex-m4", "sim-uno")
    elsewhere = boards / BOARD.name
    assert (elsewhere / "firmware.elf").read_bytes() == built.elf.read_bytes()
    assert (elsewhere / "build.json").read_bytes() == (built.elf.parent / "build.json").read_bytes()
    # The Uno's image holds the Arduino core, too, whose debug information must not say where it was compiled.
    assert str(checkout.parent).encode() not in (boards / "sim-uno" / "firmware.elf").read_bytes()


def test_what_was_compiled_is_taken_again_and_what_changed_is_not(
    built: BuildResult, exported: Path, checkout: Path
) -> None:
    kept = checkout / "build" / ".pio" / "objects"
    if not kept.is_dir():  # by the test above
        build_in(checkout, "small", BOARD.name)
    before = {path: path.stat().st_ino for path in kept.glob("??/*")}
    assert len(before) > 30
    unused = kept / "00" / "unused"
    unused.parent.mkdir(exist_ok=True)
    unused.write_bytes(b"")
    os.utime(unused, (0, 0))
    shutil.copytree(exported, checkout / "build" / "moved")
    moved = build_in(checkout, "moved", BOARD.name) / BOARD.name
    assert {path: path.stat().st_ino for path in kept.glob("??/*")} == before, (
        "something was compiled, or kept for ever"
    )
    for name in ("firmware.elf", "build.json"):  # which holds the bound of the stack
        assert (moved / name).read_bytes() == (built.elf.parent / name).read_bytes()

    header = checkout / "firmware" / "lib" / "protocol" / "protocol.h"
    text, version = header.read_text(), "#define PROTOCOL_VERSION 1"
    assert version in text
    header.write_text(text.replace(version, "#define PROTOCOL_VERSION 9"))
    build_in(checkout, "moved", BOARD.name)
    header.write_text(text)
    assert "ok tinyproof=9 " in ask(BOARD, moved / "firmware.elf", b"info\n")


@pytest.mark.parametrize("name", ["model_compiled.c", "model_compiled.h", "model.tflite"])
def test_stale_and_missing_artefacts_are_named(exported: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "small"
    shutil.copytree(exported, folder)
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(UsageError, match=rf"{name} missing or changed since the export; run ./tinyproof export"):
        build(BOARD, folder)
    (folder / name).unlink()
    with pytest.raises(UsageError, match=name):
        build(BOARD, folder)


def test_pio_by_hand_boots_the_image_and_refuses_stale_artefacts_in_one_line(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(exported, folder)
    command = [sys.executable, "-m", "platformio", "run", "-d", "firmware", "-e", BOARD.name, "-t", "upload"]
    environment = {**os.environ, "TINYPROOF_MODEL": str(folder), "PLATFORMIO_BUILD_DIR": str(tmp_path / "pio")}

    def pio() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    done = pio()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "next: ./tinyproof simulate --board qemu-cortex-m4" in done.stdout
    (folder / "model_compiled.c").unlink()
    done = pio()
    assert done.returncode != 0
    assert done.stderr.startswith(
        f"error: {folder}: model_compiled.c missing or changed since the export; run ../tinyproof export again\n"
    )
    assert "Traceback" not in done.stdout + done.stderr


def test_no_export_no_compiler_no_firmware(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"run \./tinyproof train"):
        build(BOARD, tmp_path)
    with pytest.raises(UsageError, match="has no firmware"):
        build(find_board("reference"), exported)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFaultError, match="arm-none-eabi-gcc is missing; sudo apt-get install gcc-arm"):
        build(BOARD, exported)


def test_failures_are_explained_in_one_line() -> None:
    assert str(LOG) in explain(BOARD, "no output", LOG).message
    text = explain(
        BOARD, "ld: region `ram' overflowed by 1000 bytes\nld: region `flash' overflowed by 5 bytes\n", LOG
    ).message
    assert "needs 4,195,304 B of ram, the board has 4,194,304 B; needs 4,194,309 B of flash" in text
    text = explain(
        BOARD, f"Compiling\n{ROOT}/firmware/src/main.c:7:1: error: unknown type name 'x'\nmore\n", LOG
    ).message
    assert text.startswith("qemu-cortex-m4: the build failed: firmware/src/main.c:7:1: error: unknown type name 'x' (")
    text = explain(BOARD, "Platform Manager: Installing nordicnrf52 @ 10.11.0\nHTTPClientError: \n", LOG).message
    assert "could not reach its registry" in text
    assert len(text.splitlines()) == 1


def test_the_core_folder_is_made_once_and_mended(tmp_path: Path) -> None:
    ensure_core(tmp_path)
    scons = tmp_path / "packages/tool-scons/scons.py"
    stamp = scons.stat().st_mtime_ns
    ensure_core(tmp_path)
    assert scons.stat().st_mtime_ns == stamp
    scons.write_text("broken")
    ensure_core(tmp_path)
    assert "SCons.Script" in scons.read_text()


def test_a_copied_clone_builds_by_its_own_platform(tmp_path: Path) -> None:
    links = [tmp_path / "platforms" / name for name in ("ours.pio-link", "theirs.pio-link", "unfinished.pio-link")]
    links[0].parent.mkdir()
    for link, cwd in zip(links, (FIRMWARE, "/elsewhere/firmware"), strict=False):
        link.write_text(json.dumps({"cwd": str(cwd), "spec": {"uri": "symlink://platform"}}))
    links[2].write_text("")
    ensure_core(tmp_path)
    assert [link.exists() for link in links] == [True, False, True]


def test_builds_that_start_together_make_one_core_folder(tmp_path: Path) -> None:
    together = 8
    start = Barrier(together)

    def begin(core: Path) -> None:
        start.wait()
        ensure_core(core)

    with ThreadPoolExecutor(together) as pool:
        for round_ in range(50):
            core = tmp_path / str(round_)
            for begun in [pool.submit(begin, core) for _ in range(together)]:
                begun.result()
            assert sorted(path.name for path in (core / "packages/tool-scons").iterdir()) == [
                ".piopm",
                "package.json",
                "scons.py",
            ]
