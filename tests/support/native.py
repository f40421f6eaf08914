# SPDX-License-Identifier: Apache-2.0
"""The compiled engine on this machine: generated C and kernels under the address and undefined behaviour sanitizers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.sanitizers import compile_sanitized
from tinyproof.core.paths import FIRMWARE

Driver = Callable[..., bytes]  # the protocol as a program: driver(input, *arguments) -> stdout
ENGINE = FIRMWARE / "lib" / "engine"
MAIN = """
#include "engine.h"
#include <stdio.h>
static size_t each(const struct engine_tensors *tensors, int out) {
    size_t moved = 0;
    for (int i = 0; i < tensors->count; i++) {
        const struct engine_tensor *tensor = &tensors->list[i];
        moved += out ? fwrite(tensor->data, 1, tensor->bytes, stdout) : fread(tensor->data, 1, tensor->bytes, stdin);
    }
    return moved;
}
int main(void) {
    const struct engine *engine = engine_init();
    if (!engine)
        return 2;
    while (each(&engine->inputs, 0) == engine->inputs.bytes) {
        if (engine_run() != ENGINE_OK)
            return 3;
        each(&engine->outputs, 1);
    }
    return 0;
}
"""


def changed_engine(tmp_path: Path, file: str, right: str, wrong: str) -> Path:
    """A copy of the engine's sources in which `wrong` stands in one of its files instead of `right`."""
    engine = Path(shutil.copytree(ENGINE, tmp_path / "engine"))
    text = (engine / file).read_text(encoding="utf-8")
    assert right in text
    (engine / file).write_text(text.replace(right, wrong), encoding="utf-8", newline="\n")
    return engine


def compile_native(build_dir: Path, engine: Path = ENGINE) -> Path:
    """A program that answers the inputs on stdin, vector by vector, on stdout. Warnings fail the compilation: raises
    AssertionError with the compiler's words."""
    (build_dir / "main.c").write_text(MAIN)
    sources = [
        engine / "engine_compiled.c",
        *(build_dir / name for name in ("model_compiled.c", "model_data.c", "main.c")),
    ]
    program = build_dir / "native"
    compile_sanitized([f"-I{engine}", f"-I{build_dir}", *map(str, sources), "-o", str(program)])
    return program


def different_bits(build_dir: Path, engine: Path = ENGINE) -> int:
    """How many vectors of vectors.json, the golden reference's answers, the compiled engine answers otherwise."""
    vectors = json.loads((build_dir / "vectors.json").read_text())["vectors"]
    asked = b"".join(bytes.fromhex(vector["in"]) for vector in vectors)
    program = compile_native(build_dir, engine)
    got = subprocess.run([program], input=asked, capture_output=True, check=True, timeout=60).stdout
    expected = [bytes.fromhex(vector["out"]) for vector in vectors]
    size = len(expected[0])
    assert len(got) == size * len(expected)
    return sum(got[i * size : (i + 1) * size] != right for i, right in enumerate(expected))
