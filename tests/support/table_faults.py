# SPDX-License-Identifier: Apache-2.0
"""Bits of the generated tables flipped one at a time, in a native program: how many of them a build's vectors find.

    python -P tests/support/table_faults.py build/kws --faults 1000 --seed 1

compares the build's vectors with as many random inputs, and takes for killable what either of them finds, or one of so
many random ones more. Faults are spread evenly over the tables, and within a table over bytes and bits.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tinyproof.core.paths import FIRMWARE
from tinyproof.core.reference.golden import Reference

ENGINE = FIRMWARE / "lib" / "engine"
Fault = tuple[int, int, int]  # table, byte, bit
MORE = 200  # random inputs beyond the budget, to tell what can be found at all
_TABLE = re.compile(r"^static\s+(?:u?int\d+_t)\s+(\w+)\[", re.MULTILINE)
# Per fault the number of the first input that finds it, -1 where none does.
MAIN = """
#include "engine.h"
#include "model_compiled.c"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static struct {{ unsigned char *start; size_t bytes; }} tables[] = {{ {tables} }};
static long first(const unsigned char *in, const unsigned char *right, long count) {{
    const struct engine *engine = engine_init();
    for (long v = 0; v < count; v++) {{
        for (int i = 0; i < engine->inputs.count; i++) {{
            memcpy(engine->inputs.list[i].data, in, engine->inputs.list[i].bytes);
            in += engine->inputs.list[i].bytes;
        }}
        if (engine_run() != ENGINE_OK)
            return v;
        for (int i = 0; i < engine->outputs.count; i++) {{
            if (memcmp(engine->outputs.list[i].data, right, engine->outputs.list[i].bytes) != 0)
                return v;
            right += engine->outputs.list[i].bytes;
        }}
    }}
    return -1;
}}
int main(int argc, char **argv) {{
    const struct engine *engine = engine_init();
    if (argc < 2) {{
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
            printf("%zu\\n", tables[i].bytes);
        return 0;
    }}
    const long count = atol(argv[1]);
    const size_t in_size = engine->inputs.bytes * (size_t)count, out_size = engine->outputs.bytes * (size_t)count;
    unsigned char *in = malloc(in_size), *right = malloc(out_size);
    if (fread(in, 1, in_size, stdin) != in_size || fread(right, 1, out_size, stdin) != out_size)
        return 2;
    if (first(in, right, count) >= 0)
        return 3; /* the sound engine must answer all of them */
    for (int a = 2; a + 2 < argc; a += 3) {{
        unsigned char *place = tables[atol(argv[a])].start + atol(argv[a + 1]);
        *place ^= (unsigned char)(1 << atol(argv[a + 2]));
        printf("%ld\\n", first(in, right, count));
        *place ^= (unsigned char)(1 << atol(argv[a + 2]));
    }}
    return 0;
}}
"""


class TableFaults:
    """The engine of a build with tables that can be changed."""

    def __init__(self, build_dir: Path, folder: Path) -> None:
        self._build_dir = build_dir
        include = [f"-I{ENGINE}", f"-I{build_dir}", "-DKERNEL_TABLE="]
        source = subprocess.run(
            ["gcc", "-E", "-P", *include, str(build_dir / "model_compiled.c")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.names = _TABLE.findall(source)
        tables = ", ".join(f"{{ (unsigned char *){name}, sizeof {name} }}" for name in self.names)
        (folder / "table_faults.c").write_text(MAIN.format(tables=tables))
        self._program = folder / "table_faults"
        sources = [folder / "table_faults.c", ENGINE / "engine_compiled.c", build_dir / "model_data.c"]
        subprocess.run(["gcc", "-O2", "-w", *include, *map(str, sources), "-o", str(self._program)], check=True)
        sizes = subprocess.run([self._program], capture_output=True, text=True, check=True).stdout.split()
        self.sizes = [int(size) for size in sizes]

    def sample(self, count: int, seed: int) -> list[Fault]:
        """The tables in turns."""
        source = random.Random(seed)
        tables = [number % len(self.sizes) for number in range(count)]
        return [(table, source.randrange(self.sizes[table]), source.randrange(8)) for table in tables]

    def found(self, inputs: Sequence[bytes], outputs: Sequence[bytes], faults: Sequence[Fault]) -> list[bool]:
        """Which of `faults` some input shows. Raises CalledProcessError where the sound engine answers otherwise."""
        command = [str(self._program), str(len(inputs)), *(str(part) for fault in faults for part in fault)]
        done = subprocess.run(command, input=b"".join((*inputs, *outputs)), capture_output=True, check=True)
        return [int(line) >= 0 for line in done.stdout.split()]


def compare(build_dir: Path, folder: Path, count: int, seed: int) -> dict[str, int]:
    """Of `count` faults: how many can be found at all, by the build's vectors, and by as many random inputs."""
    engine = TableFaults(build_dir, folder)
    vectors = json.loads((build_dir / "vectors.json").read_text())["vectors"]
    ours = [bytes.fromhex(vector["in"]) for vector in vectors]
    reference = Reference((build_dir / "model.tflite").read_bytes())
    source = random.Random(seed)
    noise = [source.randbytes(reference.input_bytes) for _ in range(len(ours) + MORE)]
    faults = engine.sample(count, seed)
    chosen = engine.found(ours, [bytes.fromhex(vector["out"]) for vector in vectors], faults)
    answers = [reference.run(x) for x in noise]
    noisy = engine.found(noise[: len(ours)], answers[: len(ours)], faults)
    missed = [fault for fault, a, b in zip(faults, chosen, noisy, strict=True) if not a and not b]
    others = sum(engine.found(noise[len(ours) :], answers[len(ours) :], missed))
    killable = sum(a or b for a, b in zip(chosen, noisy, strict=True)) + others
    return {"planted": count, "killable": killable, "chosen": sum(chosen), "random": sum(noisy)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    scores = compare(arguments.build, arguments.build, arguments.faults, arguments.seed)
    json.dump(scores, sys.stdout)
    print()


if __name__ == "__main__":
    main()
