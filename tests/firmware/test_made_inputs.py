# SPDX-License-Identifier: Apache-2.0
"""Inputs of a seed, of every type that a model may take: the firmware's C makes the bytes that NumPy makes."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.sanitizers import compile_sanitized

from tinyproof.core.manifest import TensorSpec
from tinyproof.core.paths import FIRMWARE
from tinyproof.core.tflite.dtypes import DTYPES
from tinyproof.core.tflite.made_inputs import make_input

TENSORS = (("int8", 5, -128), ("uint8", 4, 200), ("int16", 7, -300), ("int32", 3, 0), ("int64", 3, 0), ("bool", 6, 0))
SEED, COUNT = 11, 300
MAIN = """
#include "many.c"
#include <stdio.h>
static int64_t data[%(tensors)d][8];
static const struct engine_tensor list[] = {%(list)s};
enum protocol_error verbs_infer(struct protocol *protocol) { return (void)protocol, PROTOCOL_OK; }
void engine_reset(void) {}
int main(void) {
    const struct engine_tensors inputs = {list, 0, %(tensors)d};
    for (uint32_t index = 0; index < %(count)d; index++) {
        make_input(&inputs, %(seed)d, index);
        for (int i = 0; i < %(tensors)d; i++) {
            fwrite(list[i].data, 1, list[i].bytes, stdout);
        }
    }
    return 0;
}
"""


def test_c_and_numpy_make_the_same_of_every_type(tmp_path: Path) -> None:
    specs = [TensorSpec("x", [n], dtype, 1.0, zero, DTYPES[dtype].bytes_of(n)) for dtype, n, zero in TENSORS]
    rows = (
        f"{{(int8_t *)data[{i}], {x.bytes}, 1, {x.zero_point}, ENGINE_{x.dtype.upper()}}}" for i, x in enumerate(specs)
    )
    numbers = {"tensors": len(specs), "list": ", ".join(rows), "count": COUNT, "seed": SEED}
    (tmp_path / "main.c").write_text(MAIN % numbers)
    lib = FIRMWARE / "lib"
    program = tmp_path / "made"
    sources = [str(tmp_path / "main.c"), str(lib / "protocol" / "quantize.c")]
    compile_sanitized([f"-I{lib / 'protocol'}", f"-I{lib / 'engine'}", *sources, "-o", str(program)])
    made = subprocess.run([program], capture_output=True, check=True, timeout=60).stdout
    size = sum(spec.bytes for spec in specs)
    assert len(made) == COUNT * size
    for index in range(COUNT):
        assert made[index * size : (index + 1) * size] == make_input(specs, SEED, index), f"input {index}"
