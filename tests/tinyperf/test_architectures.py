# SPDX-License-Identifier: Apache-2.0
"""The four MLPerf Tiny architectures, bit for bit, by the plain kernels here, by the DSP kernels on a Cortex-M4F, and
by the Python reference."""

from __future__ import annotations

import dataclasses
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cortex_m4 import count_instructions
from support.instruction_table import assert_nothing_grew
from support.native import different_bits
from support.op_cases import Case

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.manifest import read_manifest
from tinyproof.core.model_file import find_model_file
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.calibration import Calibration
from tinyproof.export.import_model import import_model
from tinyproof.firmware.platformio_build import build
from tinyproof.host.check import check
from tinyproof.layer_counts import measure_layers
from tinyproof.train.tinyperf import MODELS, make_tinyperf

# Multiply-accumulates, TFLM's arena in bytes and its instructions with CMSIS-NN (tflite-micro 90b983c2, CMSIS-NN
# 4ab83cc3, Cortex-M4F on mps2-an386 under QEMU).
PUBLISHED = {
    "ad": (264_192, 2_580, 583_000),
    "kws": (2_656_768, 22_820, 7_697_000),
    "ic": (12_501_632, 54_996, 29_860_000),
    "vww": (7_489_664, 100_708, 24_100_000),
}
CHECK = dataclasses.replace(CheckConfig(), timeout_s=30.0)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def importing(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            model, samples = make_tinyperf(name, folder)
            source = find_model_file(str(model))
            assert source is not None
            made[name] = folder / name
            import_model(source, made[name], Calibration(samples))
        return made[name]

    return importing


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("name", [n if n == "kws" else pytest.param(n, marks=pytest.mark.nightly) for n in MODELS])
def test_the_plain_kernels_are_bit_exact(imported: Callable[[str], Path], name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(imported(name), folder)
    assert different_bits(folder) == 0

    vectors = json.loads((folder / "vectors.json").read_text())
    assert len(vectors["vectors"]) == 32
    answers = b"".join(bytes.fromhex(vector["out"]) for vector in vectors["vectors"])
    at_the_rails = sum(byte in (0x80, 0x7F) for byte in answers) / len(answers)
    assert at_the_rails < 0.5, "saturated answers would hide differences"
    assert len({vector["out"] for vector in vectors["vectors"]}) > 16, "answers that never change prove nothing"

    changed = bytearray(bytes.fromhex(vectors["vectors"][7]["out"]))
    changed[0] ^= 1
    vectors["vectors"][7]["out"] = changed.hex()
    (folder / "vectors.json").write_text(json.dumps(vectors))
    assert different_bits(folder) == 1, "the comparison must be able to fail"


@pytest.mark.nightly
@pytest.mark.parametrize("name", [n if n == "kws" else pytest.param(n, marks=pytest.mark.nightly) for n in MODELS])
def test_the_python_reference_agrees_in_every_layer(imported: Callable[[str], Path], name: str) -> None:
    tflite = (imported(name) / "model.tflite").read_bytes()
    layers = [operator.outputs[0] for operator in device_ends(read_graph(tflite)).operators]
    wheel, python = Reference(tflite, "tflite-micro"), Reference(tflite, "python")
    x_q = random.Random(name).randbytes(wheel.input_bytes)
    for index, expected, got in zip(layers, wheel.trace(x_q, layers), python.trace(x_q, layers), strict=True):
        assert got == expected, f"tensor {index}"


def instructions(folder: Path) -> int:
    """Of one inference on a Cortex-M4, answered as TFLite Micro answers it."""
    tflite = (folder / "model.tflite").read_bytes()
    x_q = random.Random(1).randbytes(Reference(tflite, "tflite-micro").input_bytes)
    return count_instructions([Case(folder.name, tflite, (x_q,))])[0]


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("vww", marks=pytest.mark.nightly), "kws"])
def test_dead_channels_cost_what_others_do(imported: Callable[[str], Path], name: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    model, samples = make_tinyperf(name, tmp_path, seed, dead=True)
    source = find_model_file(str(model))
    assert source is not None
    import_model(source, tmp_path / "dead", Calibration(samples), keep_dead=True)
    graph = read_graph((tmp_path / "dead" / "model.tflite").read_bytes())
    biases = [t for t in graph.tensors if t.dtype == "int32" and t.data is not None and t.scales]
    assert max(abs(b) for t in biases for b in unpack(t.data or b"", "int32")) > 2**23, "no channel is dead"
    assert instructions(tmp_path / "dead") <= 1.1 * instructions(imported(name)), f"seed {seed}"


# Under QEMU ic and vww take most of the time.
@pytest.mark.slow
@pytest.mark.parametrize("name", [n if n == "kws" else pytest.param(n, marks=pytest.mark.nightly) for n in MODELS])
def test_the_dsp_kernels_beat_cmsis_nn_by_half(imported: Callable[[str], Path], name: str) -> None:
    folder = imported(name)
    macs, tflm_arena, cmsis_instructions = PUBLISHED[name]
    memory = read_manifest(folder).memory
    assert memory is not None
    assert memory.macs == macs
    assert memory.arena_bytes <= tflm_arena

    board = find_board("qemu-cortex-m4")
    build(board, folder)
    report = check(board, folder, None, CHECK)
    assert (report.bits.checked, report.bits.different) == (32, 0)
    assert report.bits.ticks_max * 1.5 < cmsis_instructions
    assert_nothing_grew(name, board.name, measure_layers(board, folder, CHECK))
