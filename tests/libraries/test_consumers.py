# SPDX-License-Identifier: Apache-2.0
"""Each kind of library, taken by the nearest real consumer that runs here: what they parse, build and answer."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import cmsis_pack_manager
import kconfiglib
import pytest
from support.consumers import TOOLS, arduino_uno, exported, platformio, printed, run, uno_project
from support.cortex_m4 import M4

SAME = "vectors bit-identical to TFLite Micro"


def spoil(folder: Path) -> None:
    """One bit of the neuron's weight."""
    (source,) = (folder / "src").glob("neuron.c")
    text = source.read_text()
    head, _, tail = text.partition("_weights[1] NEURON_WEIGHTS = {\n    ")
    weight, _, rest = tail.partition("\n")
    source.write_text(f"{head}_weights[1] NEURON_WEIGHTS = {{\n    {int(weight) ^ 1}\n{rest}")
    assert source.read_text() != text


@pytest.fixture(params=[False, True], ids=["whole", "flipped"])
def mutated(request: pytest.FixtureRequest) -> bool:
    """Whether a bit of the library is flipped, which its self-test then has to find."""
    return bool(request.param)


def test_make(lesson_models: dict[str, Path], tmp_path: Path, mutated: bool) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "c")
    if mutated:
        spoil(made.folder)
        with pytest.raises(AssertionError, match="of the self-test differs"):
            run(["make", "test"], made.folder)
    else:
        assert f"256 of 256 {SAME}" in run(["make", "test"], made.folder)


def test_cmake_and_ctest_on_this_machine(lesson_models: dict[str, Path], tmp_path: Path, mutated: bool) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "cmake")
    if mutated:
        spoil(made.folder)
    run(["cmake", "-G", "Ninja", "-B", "build"], made.folder)
    run(["cmake", "--build", "build"], made.folder)
    command = [str(TOOLS / "ctest"), "--test-dir", "build"]
    done = subprocess.run(command, cwd=made.folder, capture_output=True, text=True, check=False)
    assert "neuron_selftest" in done.stdout
    assert ("100% tests passed" in done.stdout) == (done.returncode == 0) == (not mutated)


# What somebody's board support brings: a start, memory, and printf by semihosting (newlib's librdimon).
TOOLCHAIN = """
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mthumb -mcpu=cortex-m4")
set(CMAKE_EXE_LINKER_FLAGS_INIT "--specs=rdimon.specs -Wl,--gc-sections -T @here@/link.ld @here@/start.c")
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-system-arm;-M;mps2-an386;-display;none;-monitor;none;-serial;none
    -semihosting-config;enable=on,target=native;-kernel)
"""
START = """
extern void _start(void);
extern char __stack[];
__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {(void (*)(void))__stack, _start};
"""
LINK = """
MEMORY { ROM : @rom@  RAM : @ram@ }
ENTRY(_start)
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text* .rodata*) KEEP(*(.init)) KEEP(*(.fini)) *(.eh_frame*) } > ROM
  .arrays : { KEEP(*(.init_array*)) KEEP(*(.fini_array*)) } > ROM
  .ARM.exidx : { __exidx_start = .; *(.ARM.exidx*) __exidx_end = .; __end__ = .; } > ROM
  .data : { *(.data*) } > RAM
  .bss : { __bss_start__ = .; *(.bss* COMMON) __bss_end__ = .; end = .; __end__ = .; } > RAM
  __stack = ORIGIN(RAM) + LENGTH(RAM);
}
"""


def test_cmake_and_ctest_across_with_an_emulator(lesson_models: dict[str, Path], tmp_path: Path, mutated: bool) -> None:
    """Somebody's CMake project for a Cortex-M4, whose tests run under QEMU."""
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "cmake")
    if mutated:
        spoil(made.folder)
    (tmp_path / "start.c").write_text(START)
    (tmp_path / "link.ld").write_text(LINK.replace("@rom@", M4.rom).replace("@ram@", M4.ram))
    (tmp_path / "m4.cmake").write_text(TOOLCHAIN.replace("@here@", str(tmp_path)))
    build = tmp_path / "build"
    run(["cmake", "-G", "Ninja", "-S", made.folder, "-B", build, f"-DCMAKE_TOOLCHAIN_FILE={tmp_path}/m4.cmake"])
    run(["cmake", "--build", build])
    command = [str(TOOLS / "ctest"), "--test-dir", str(build), "--verbose"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not mutated), done.stdout
    assert (f"256 of 256 {SAME}" in done.stdout) == (not mutated)
    assert ("of the self-test differs" in done.stdout) == mutated


def test_arduinos_builder_and_a_simulated_uno(lesson_models: dict[str, Path], tmp_path: Path, mutated: bool) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "libraries" / "neuron", "arduino")
    if mutated:
        spoil(made.folder)
    elf = arduino_uno(tmp_path / "libraries", made.folder / "examples/selftest/selftest.ino", tmp_path / "build")
    said, answer = printed("sim-uno", elf, 2)
    assert said == ("neuron: DIFFERS at vector 0" if mutated else f"neuron: 256 of 256 {SAME}")
    assert answer.startswith("the first output of zeros: -1, in us: ")


def test_platformio_builds_a_project_that_depends_on_it(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "platformio")
    project = uno_project(tmp_path / "project", made.folder)
    assert "SUCCESS" in platformio(project, "run")
    said, _ = printed("sim-uno", project / ".pio/build/sim-uno/firmware.elf", 2)
    assert said == f"neuron: 256 of 256 {SAME}"
    package = tmp_path / "neuron.tar.gz"
    assert "neuron" in platformio(project, "pkg", "pack", made.folder, "-o", package)
    with tarfile.open(package) as archive:
        assert {"library.json", "src/neuron.c", "README.md"} <= set(archive.getnames())


def test_espressifs_component_manager_packs_it(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "esp-idf")
    run(["compote", "component", "pack", "--name", "neuron"], made.folder)
    names = set()
    for package in (made.folder / "dist").glob("*.tgz"):
        with tarfile.open(package) as archive:
            names |= {name.removeprefix("./") for name in archive.getnames()}
    assert {"idf_component.yml", "CMakeLists.txt", "src/neuron.c", "README.md"} <= names
    exported(lesson_models["neuron"], made.folder, "esp-idf")  # dist/ goes with what it was packed from
    assert not (made.folder / "dist").exists()
    (made.folder / "idf_component.yml").write_text("version: not a version\n")
    with pytest.raises(AssertionError, match=r"(?i)version"):
        run(["compote", "component", "pack", "--name", "neuron"], made.folder)


def test_kconfig_of_the_zephyr_module_is_read(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "zephyr")
    config = kconfiglib.Kconfig(str(made.folder / "zephyr" / "Kconfig"), warn_to_stderr=False)
    assert config.warnings == []
    config.load_config(str(made.folder / "samples" / "selftest" / "prj.conf"))
    assert config.syms["NEURON"].str_value == "y"


def test_cmsis_pack_manager_reads_the_pdsc(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    made = exported(lesson_models["neuron"], tmp_path / "neuron", "cmsis-pack")
    (pdsc,) = made.folder.glob("*.pdsc")
    for name in ("data", "cache"):
        (tmp_path / name).mkdir()
    cache = cmsis_pack_manager.Cache(True, True, json_path=str(tmp_path / "data"), data_path=str(tmp_path / "cache"))
    assert cache.add_pack_from_path(str(pdsc))
