# SPDX-License-Identifier: Apache-2.0
"""The proof on this machine: compiled C against TFLite Micro's interpreter, and that this proof can fail."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import effort
from support.compiled import compiled
from support.native import ENGINE, compile_native, different_bits
from support.sanitizers import STRICT
from support.tflite_writer import Model, dense_network

from tinyproof.export.codegen import ABI

CORTEX_M4 = [
    "-O2",
    "-mcpu=cortex-m4",
    "-mthumb",
    "-mfpu=fpv4-sp-d16",
    "-mfloat-abi=hard",
    "-ffunction-sections",
    "-fdata-sections",
]


def outputs(folder: Path) -> set[str]:
    return {vector["out"] for vector in json.loads((folder / "vectors.json").read_text())["vectors"]}


@pytest.mark.parametrize("name", ["neuron", "sine", "wide"])
def test_trained_models_answer_all_256_inputs_with_the_reference_bits(
    lesson_models: dict[str, Path], name: str
) -> None:
    vectors = json.loads((lesson_models[name] / "vectors.json").read_text())
    assert (vectors["kind"], len(vectors["vectors"])) == ("exhaustive", 256)
    assert [vector["in"] for vector in vectors["vectors"]] == [f"{q & 255:02x}" for q in range(-128, 128)]
    assert len(outputs(lesson_models[name])) > 100, "the answers hardly differ: this would prove little"
    assert different_bits(lesson_models[name]) == 0


@pytest.mark.parametrize("seed", range(effort.examples(4, at_night=12)))
def test_random_networks_are_bit_identical(tmp_path: Path, seed: int) -> None:
    r = random.Random(seed)
    widths = [r.choice([1, 1, 2, 3, 5, 7, 8, 17, 33]) for _ in range(r.randint(2, 8))]
    folder = compiled(tmp_path, dense_network(seed, widths, rows=r.choice([1, 1, 2, 5])))
    assert different_bits(folder) == 0


def test_every_variant_of_a_layer_over_all_inputs(tmp_path: Path) -> None:
    """Side by side in one model: no activation, RELU, RELU_N1_TO_1 and RELU6, with a bias and without, and with one
    scale of the weights or one for each unit."""
    model = Model()
    x, units = model.input((1, 1), 0.05, -3), 5
    ends = []
    for activation in range(4):
        for biases in ([100, -2000, 700, 0, 55], None):
            for scales in ([0.01], [0.01, 0.004, 0.0007, 0.03, 0.012]):
                ends.append(model.tensor((1, units), 0.06, 11))
                weights = [[127], [-127], [60], [-33], [90]]
                model.add_dense(x, ends[-1], weights, scales, biases, fusedActivationFunction=activation)
    folder = compiled(tmp_path, model.build(*ends))
    answers = [bytes.fromhex(vector["out"]) for vector in json.loads((folder / "vectors.json").read_text())["vectors"]]
    assert len(answers) == 256
    for start in range(0, units * len(ends), units):
        assert len({answer[start : start + units] for answer in answers}) > 30
    assert different_bits(folder) == 0


def test_reshape_and_kept_dimensions_cost_nothing(tmp_path: Path) -> None:
    model = Model()
    x, flat = model.input((1, 2, 3), 0.05, 4), model.tensor((1, 6), 0.05, 4)
    hidden, square = model.tensor((1, 4), 0.4, -9), model.tensor((1, 2, 2), 0.4, -9)
    y = model.tensor((1, 2, 3), 0.9)
    r = random.Random(3)
    model.add("RESHAPE", [x, model.tensor((2,), values=[1, 6], dtype="int32")], [flat])
    model.add_dense(flat, hidden, [[r.randint(-99, 99) for _ in range(6)] for _ in range(4)], 0.02)
    model.add("RESHAPE", [hidden, model.tensor((3,), values=[1, 2, 2], dtype="int32")], [square])
    model.add_dense(square, y, [[90, -70], [13, 99], [-5, 66]], 0.03, [9, 8, 7], keepNumDims=True)
    folder = compiled(tmp_path, model.build(y))
    assert len(outputs(folder)) > 100
    assert different_bits(folder) == 0
    assert (folder / "model_compiled.c").read_text().count("    fully_connected_s8(") == 2
    assert json.loads((folder / "manifest.json").read_text())["memory"]["arena_bytes"] == 4 + 6, (
        "two tensors and padding to words"
    )


def test_float_ends_are_folded_away(tmp_path: Path) -> None:
    model = Model()
    x, y = model.input((1, 1), dtype="float32"), model.tensor((1, 2), dtype="float32")
    x_q, y_q = model.tensor((1, 1), 0.05, -3), model.tensor((1, 2), 0.09, 7)
    model.add("QUANTIZE", [x], [x_q])
    model.add_dense(x_q, y_q, [[100], [-77]], 0.01, [44, -9])
    model.add("DEQUANTIZE", [y_q], [y])
    folder = compiled(tmp_path, model.build(y))
    assert different_bits(folder) == 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["inputs"][0]["dtype"], manifest["inputs"][0]["zero_point"]) == ("int8", -3)
    assert manifest["memory"]["operators"] == ["FULLY_CONNECTED"]


def test_deep_models_share_one_copy_of_the_kernel(tmp_path: Path) -> None:
    shallow = compiled(tmp_path / "shallow", dense_network(5, [8] * 5))
    deep = compiled(tmp_path / "deep", dense_network(5, [8] * 12))
    assert "_shared" not in (shallow / "model_compiled.c").read_text()
    assert (deep / "model_compiled.c").read_text().count("_shared(arena") == 11
    assert different_bits(deep) == 0


def test_a_wrong_bias_is_found(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    for name in ("neuron", "sine", "wide"):
        folder = shutil.copytree(lesson_models[name], tmp_path / name)
        source = folder / "model_compiled.c"
        text = source.read_text()
        flipped = re.sub(r"(_bias\[\d+\] = \{\s+)(-?\d+)", lambda m: f"{m[1]}{int(m[2]) ^ 64}", text, count=1)
        assert flipped != text
        source.write_text(flipped)
        assert different_bits(folder) > 0


def test_rounding_once_is_found_by_deep_models_only(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    """Desktop TFLite rounds once. A neuron cannot tell, which is why it is not the only model here."""
    engine = shutil.copytree(ENGINE, tmp_path / "engine")
    header = engine / "kernels" / "requantize.h"
    text = header.read_text()
    once = """
    if (shift < 0)
        return 0;
    const int64_t product = accumulator * (((int64_t)multiplier_minus + (INT64_C(1) << 32)) / 2);
    (void)shifts_right;
    return (int32_t)((product + (INT64_C(1) << (31 + shift))) >> (32 + shift)) + zero_point;
}
"""
    start = text.index("    if (shifts_right || shift >= 0)")
    header.write_text(text[:start] + once + text[text.index("KERNEL_INLINE int8_t clamp_s8") :])
    different = {name: different_bits(lesson_models[name], engine) for name in ("neuron", "sine", "wide")}
    assert different["neuron"] == 0
    assert different["sine"] + different["wide"] > 0


def test_kernels_of_another_version_do_not_compile(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    engine = shutil.copytree(ENGINE, tmp_path / "engine")
    header = engine / "kernels" / "requantize.h"
    version = f"#define KERNELS_ABI {ABI}\n"
    assert version in header.read_text()
    header.write_text(header.read_text().replace(version, f"#define KERNELS_ABI {ABI + 1}\n"))
    folder = shutil.copytree(lesson_models["neuron"], tmp_path / "neuron")
    with pytest.raises(AssertionError, match="another version"):
        compile_native(folder, engine)


def test_a_neuron_fits_128_bytes_of_cortex_m4_flash(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    objects = tmp_path / "model.o"
    source = lesson_models["neuron"] / "model_compiled.c"
    subprocess.run(
        ["arm-none-eabi-gcc", *CORTEX_M4, *STRICT, f"-I{ENGINE}", "-c", str(source), "-o", str(objects)], check=True
    )
    sizes = subprocess.run(["arm-none-eabi-size", objects], capture_output=True, text=True, check=True).stdout
    text, data, bss = map(int, sizes.splitlines()[1].split()[:3])
    assert text <= 128
    assert (data, bss) == (0, 0)
    listing = subprocess.run(
        ["arm-none-eabi-objdump", "-d", objects], capture_output=True, text=True, check=True
    ).stdout
    instructions = [line for line in listing.splitlines() if re.match(r"\s+[0-9a-f]+:\t", line) and ".word" not in line]
    assert len(instructions) <= 40, "straight-line code: as many instructions run as there are"
    assert not any(re.search(r"\tb(?!x)[a-z.]*\t|\tcb", line) for line in instructions)


@pytest.mark.parametrize(
    "boards_own", [[], ["kernels_blocked"], ["kernels_dsp", "kernels_blocked"]], ids=["plain", "blocked", "dsp"]
)
def test_one_model_may_call_all_kernels(tmp_path: Path, boards_own: list[str]) -> None:
    """The generated C includes all that it calls: no two of them may use a name for different things."""
    source = tmp_path / "all.c"
    headers = sorted((ENGINE / "kernels").glob("*.h"))
    source.write_text("".join(f'#include "kernels/{header.name}"\n' for header in headers))
    own = [f"-I{ENGINE / folder}" for folder in boards_own]
    command = ["arm-none-eabi-gcc", *CORTEX_M4, *STRICT, "-Wno-unused-function", *own, f"-I{ENGINE}"]
    subprocess.run([*command, "-fsyntax-only", str(source)], check=True)
