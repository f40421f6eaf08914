# SPDX-License-Identifier: Apache-2.0
"""The C of an exported library: strict, the same bits in every form, and a self-test that can fail."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.compiled import compiled
from support.consumers import exported, run
from support.cortex_m4 import M4, M55, Core, run_on
from support.image_nets import residual
from support.op_rows.control import nested
from support.sanitizers import STRICT
from support.streaming import StreamingNet

from tinyproof.export.libraries.kernel_files import CONDITIONS, ENGINE

MODELS = ("neuron", "sine", "wide", "streaming", "loop", "stripes")
GNU_BY_DAY, STRICT_BY_DAY = ("streaming", "loop", "stripes"), ("wide", "stripes")
MAIN = """
#include <stdio.h>
#include <string.h>
#include "net.h"
static NET_ARENA(arena);
static NET_ARENA(other);
int main(int count, char **words) {
    (void)words;
    if (net_init(arena, sizeof arena) != NET_OK || net_init(other, sizeof other) != NET_OK) return 2;
    if (net_init(arena, NET_ARENA_BYTES - 1) != NET_ERROR_ARENA_TOO_SMALL) return 3;
    if (net_init((char *)arena + 1, sizeof arena - 1) >= 0) return 4;
    if (count > 1) { printf("%ld\\n", (long)net_selftest(arena)); return 0; }
    signed char in[NET_INPUTS_BYTES];
    while (fread(in, 1, sizeof in, stdin) == sizeof in) {
        signed char *from = in;
#define FILL(offset, bytes, scale, zero, type) \\
        memcpy((char *)arena + (offset), from, bytes); memcpy((char *)other + (offset), from, bytes); from += bytes;
        NET_FOR_EACH_INPUT(FILL)
        for (unsigned short step = 0; step < NET_STEPS; step++) net_step(other, step);
        net_run(arena);
#define SHOW(offset, bytes, scale, zero, type) \\
        if (memcmp((char *)arena + (offset), (char *)other + (offset), bytes)) return 5; \\
        fwrite((char *)arena + (offset), 1, bytes, stdout);
        NET_FOR_EACH_OUTPUT(SHOW)
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def builds(lesson_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Builds of MODELS: the lesson's, one with state, one with a WHILE in it, and one whose operators take turns."""
    root = tmp_path_factory.mktemp("builds")
    return {
        **{name: lesson_models[name] for name in ("neuron", "sine", "wide")},
        "streaming": compiled(root / "streaming", StreamingNet(7).build()),
        "loop": compiled(root / "loop", nested("loop", 5)),
        "stripes": compiled(root / "stripes", residual(), ram="min"),
    }


def program(folder: Path, *flags: str, compiler: str = "gcc") -> Path:
    """MAIN with the library in `folder`."""
    (folder / "main.c").write_text(MAIN)
    sources = [folder / "src" / "net.c", folder / "src" / "net_selftest.c"]
    for source in sources:  # the library itself has to be strict; MAIN, whose macros may be empty, need not
        run([compiler, *STRICT, *flags, "-c", source, "-o", source.with_suffix(".o")])
    objects = [source.with_suffix(".o") for source in sources]
    run([compiler, *flags, f"-I{folder / 'src'}", folder / "main.c", *objects, "-o", folder / "program"])
    return folder / "program"


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        *(
            pytest.param(name, (), id=f"{name}-gnu", marks=[] if name in GNU_BY_DAY else [pytest.mark.nightly])
            for name in MODELS
        ),
        *(
            pytest.param(
                name,
                ("-DKERNELS_STRICT_C99",),
                id=f"{name}-strict",
                marks=[] if name in STRICT_BY_DAY else [pytest.mark.nightly],
            )
            for name in MODELS
        ),
    ],
)
def test_run_and_step_have_the_models_bits(
    builds: dict[str, Path], tmp_path: Path, name: str, flags: tuple[str, ...]
) -> None:
    made = exported(builds[name], tmp_path / "net", name="net")
    built = program(made.folder, *flags, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    vectors = json.loads((builds[name] / "vectors.json").read_text())["vectors"]
    asked = b"".join(bytes.fromhex(vector["in"]) for vector in vectors)
    answered = subprocess.run([built], input=asked, capture_output=True, check=True, timeout=120).stdout
    assert answered == b"".join(bytes.fromhex(vector["out"]) for vector in vectors)
    assert made.vectors > 0
    assert run([built, "selftest"]).split() == ["-1"]


@pytest.mark.parametrize("name", MODELS)
def test_strict_c99_is_nothing_beyond(builds: dict[str, Path], tmp_path: Path, name: str) -> None:
    """gcc takes its own attributes and assembly without a word, whatever the standard."""
    made = exported(builds[name], tmp_path / "net", name="net")
    for source in ("net.c", "net_selftest.c"):
        ours, is_ours = [], False
        for line in run(["gcc", "-std=c99", "-DKERNELS_STRICT_C99", "-E", made.folder / "src" / source]).splitlines():
            if line.startswith("# "):
                is_ours = line.split('"')[1].startswith(str(made.folder))
            elif is_ours:
                ours.append(line)
        assert "int32_t" in "".join(ours)
        assert [line for line in ours if "__" in line] == []


def flipped(source: Path, seed: int, tables_end: str = "weights") -> str:
    """One bit of one weight of the generated C, changed in place. Returns the table's name. Kernels for MVE have their
    weights in tables whose names end otherwise."""
    text = source.read_text()
    tables = list(re.finditer(rf"(\w+_{tables_end})\[(\d+)\][^=]*= \{{\n(.*?)\n\}};", text, re.DOTALL))
    if tables_end == "weights":  # some of what only cores with MVE compile is called so, too
        unread = [match.span() for match in re.finditer(r"#if KERNELS_MVE\n.*?#(else|endif)\n", text, re.DOTALL)]
        tables = [table for table in tables if not any(start < table.start() < end for start, end in unread)]
    choice = random.Random(seed)
    table = choice.choice(tables)
    numbers = list(re.finditer(r"-?\d+", table[3]))
    place = choice.choice(numbers)
    value = (int(place[0]) & 0xFF) ^ (1 << choice.randrange(8))
    start, end = table.start(3) + place.start(), table.start(3) + place.end()
    source.write_text(f"{text[:start]}{value - 256 * (value > 127)}{text[end:]}")
    return table[1]


@pytest.mark.parametrize(
    "name", [*(pytest.param(name, marks=pytest.mark.nightly) for name in ("sine", "wide")), "streaming"]
)
def test_the_selftest_finds_any_flipped_bit_of_a_weight(builds: dict[str, Path], tmp_path: Path, name: str) -> None:
    """Vectors alone would not: of a bit that none of their answers depends on, the checksum of the tables tells."""
    made = exported(builds[name], tmp_path / "net", name="net", selftest_bytes=64 if name == "streaming" else 10)
    source = made.folder / "src" / "net.c"
    whole = source.read_text()
    found = set()
    for seed in range(5):
        source.write_text(whole)
        flipped(source, seed)
        found.add(int(run([program(made.folder), "selftest"])))
    assert -1 not in found
    assert made.vectors in found or len(found) > 1


@pytest.mark.parametrize(("core", "tables"), [(M4, "weights"), (M55, "fours")], ids=["m4", "m55"])
@pytest.mark.parametrize("mutated", [False, True])
def test_the_selftest_on_a_simulated_core(
    builds: dict[str, Path], tmp_path: Path, core: Core, tables: str, mutated: bool
) -> None:
    made = exported(builds["wide"], tmp_path / "net", name="net")
    source = made.folder / "src"
    if mutated:
        flipped(source / "net.c", 1, tables)
    (tmp_path / "user.c").write_text(
        f'#include "{source}/net.h"\nvoid run(void);\nvoid print(const char *text);\nstatic NET_ARENA(arena);\n'
        "void run(void) {\n"
        '    if (net_init(arena, sizeof arena) != NET_OK)\n        print("no arena\\n");\n'
        '    print(net_selftest(arena) < 0 ? "same\\n" : "different\\n");\n}\n'
    )
    files = [str(tmp_path / "user.c"), str(source / "net.c"), str(source / "net_selftest.c")]
    assert run_on(core, tmp_path, files) == ["different" if mutated else "same"]


def test_two_models_live_in_one_firmware_and_share_kernels(builds: dict[str, Path], tmp_path: Path) -> None:
    libraries = [exported(builds[name], tmp_path / name, name=name) for name in ("streaming", "wide")]
    main = "".join(f'#include "{made.folder}/src/{made.name}.h"\n' for made in libraries)
    main += "".join(f"static {made.name.upper()}_ARENA({made.name});\n" for made in libraries)
    tests = " + ".join(f"({made.name}_selftest({made.name}) != -1)" for made in libraries)
    (tmp_path / "main.c").write_text(f"{main}int main(void) {{ return {tests}; }}\n")
    sources = [made.folder / "src" / f"{made.name}.c" for made in libraries]
    selftests = [made.folder / "src" / f"{made.name}_selftest.c" for made in libraries]
    (tmp_path / "both.c").write_text("".join(f'#include "{source}"\n' for source in sources))
    compile_ = ["gcc", *STRICT, "-Os", tmp_path / "main.c", *selftests]
    run([*compile_, *sources, "-o", tmp_path / "apart"])
    run([*compile_, tmp_path / "both.c", "-o", tmp_path / "together"])
    for name in ("apart", "together"):
        run([tmp_path / name])
    symbols = {name: run(["nm", tmp_path / name]) for name in ("apart", "together")}
    assert symbols["apart"].count(" t conv_pairs_s8") == 2
    assert symbols["together"].count(" t conv_pairs_s8") == 1


@pytest.mark.parametrize("standard", ["c++11", "c++20"])
def test_the_header_is_cpp_too_and_quantizes_as_tflite_micro(
    builds: dict[str, Path], tmp_path: Path, standard: str
) -> None:
    made = exported(builds["neuron"], tmp_path / "net", name="net", labels=("only one",))
    (tmp_path / "user.cpp").write_text(
        '#include <cmath>\n#include <cstdint>\n#include <limits>\n#include "net.h"\n'
        "static NET_ARENA(arena);\nstatic const char *const labels[] = NET_LABELS;\n"
        "static float nearby(float x, int ulps) {\n"
        "    for (; ulps > 0; ulps--) x = std::nextafterf(x, 1e9F);\n"
        "    for (; ulps < 0; ulps++) x = std::nextafterf(x, -1e9F);\n    return x;\n}\n"
        "static int expected(float x) {\n"
        "    const float q = std::round(x / NET_INPUT_SCALE) + NET_INPUT_ZERO_POINT;\n"
        "    return q < -128 ? -128 : q > 127 ? 127 : static_cast<int>(q);\n}\n"
        "int main() {\n"
        "    if (net_init(arena, sizeof arena) != NET_OK || labels[0][0] != 'o') return 1;\n"
        "    for (int half = -400; half <= 400; half++)\n        for (int ulps = -2; ulps <= 2; ulps++) {\n"
        "            const float x = nearby(static_cast<float>(half) * 0.5F * NET_INPUT_SCALE, ulps);\n"
        "            if (net_quantize_input(x) != expected(x)) return 2;\n        }\n"
        "    const float inf = std::numeric_limits<float>::infinity();\n"
        "    if (net_quantize_input(inf) != 127 || net_quantize_input(-inf) != -128) return 3;\n"
        "    if (net_quantize_input(inf - inf) != -128) return 4;\n"
        "    net_input(arena)[0] = 127;\n    net_run(arena);\n"
        "    return net_dequantize_output(net_output(arena)[0]) > 18.0F ? 0 : 5;\n}\n"
    )
    source = made.folder / "src"
    run(["gcc", *STRICT, "-c", source / "net.c", "-o", tmp_path / "net.o"])
    strict = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]
    words = ["g++", f"-std={standard}", *strict, f"-I{source}", tmp_path / "user.cpp", tmp_path / "net.o"]
    run([*words, "-o", tmp_path / "user"])
    run([tmp_path / "user"])


def test_kernels_are_those_that_are_included_and_no_others(builds: dict[str, Path], tmp_path: Path) -> None:
    made = exported(builds["neuron"], tmp_path / "net", name="net")
    kernels = {path.name for path in (made.folder / "src" / "kernels").rglob("*.h")}
    assert {"requantize.h", "compiler.h", "fully_connected_s8.h"} <= kernels
    read: set[str] = set()
    for core in ("cortex-m0", "cortex-m4", "cortex-m55"):
        command = ["arm-none-eabi-gcc", "-mthumb", f"-mcpu={core}", "-O2", "-M", made.folder / "src" / "net.c"]
        read |= {Path(word).name for word in run(command).split() if "/kernels/" in word}
    assert kernels == read


def test_every_folder_of_kernels_has_cores_that_take_it() -> None:
    """A library has no include path that would say it."""
    assert {folder.name for folder in ENGINE.glob("kernels_*")} == set(CONDITIONS)


@pytest.mark.parametrize("target", ["m4 -O0", "m4 -Os -fno-omit-frame-pointer", "m55 -O2", "m0 -O2", "avr -Os"])
def test_it_compiles_for_other_cores_in_any_mode(builds: dict[str, Path], tmp_path: Path, target: str) -> None:
    made = exported(builds["streaming"], tmp_path / "net", name="net")
    core, *flags = target.split()
    for source in sorted((made.folder / "src").glob("*.c")):
        if core == "avr":
            command = ["avr-gcc", "-std=gnu99", "-mmcu=atmega328p", *STRICT[1:]]
        else:
            command = ["arm-none-eabi-gcc", "-mthumb", f"-mcpu=cortex-{core}", *STRICT]
        run([*command, *flags, "-c", source, "-o", tmp_path / "object.o"])


def test_the_same_model_gives_the_same_bytes(builds: dict[str, Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        exported(shutil.copytree(builds["wide"], tmp_path / f"build {name}" / "wide"), tmp_path / name / "net")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) > 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file
