# SPDX-License-Identifier: Apache-2.0
"""Where bits differ, the layer in which that begins is named: generated C is bent in one operator, and found there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.compiled import compiled
from support.scripted_board import ScriptedBoard
from support.single_device import single_device
from support.streaming import WINDOW, ZERO_POINT, StreamingNet
from support.tflite_writer import Model, dense_network

import tinyproof.core.paths
import tinyproof.firmware.platformio_build
from tinyproof.cli import main as cli
from tinyproof.core.board_spec import find_board
from tinyproof.core.build_record import read_build_record
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import TensorSpec, read_manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.export.export import compile_model
from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.fully_connected import FullyConnected
from tinyproof.export.profile_codegen import write_profile
from tinyproof.firmware.elf_tables import model_constants
from tinyproof.host.bits import Divergence
from tinyproof.host.layer_probes import REQUEST
from tinyproof.localization import locate

PATIENT = CheckConfig(timeout_s=5.0)
LAYERS = [3, 5, 6, 4, 2]
SEED = 20  # its answers change with nearly every input, so that no layer hides what the one before it does


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("locating") / "net", LAYERS)


@pytest.fixture
def folder(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One for each test, which changes it."""
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    return Path(shutil.copytree(net, tmp_path / "net"))


def made(folder: Path, layers: list[int]) -> Path:
    return compiled(folder, dense_network(SEED, layers))


def bend(folder: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output zero point of one operator, as if the exporter had got it wrong."""
    right = FullyConnected.parameters

    def parameters(op: FullyConnected, prefix: str) -> dict[str, str]:
        numbers = right(op, prefix)
        if op.operator.index == number:
            zero_point = int(numbers["zero_point"])
            numbers["zero_point"] = str(zero_point + (1 if zero_point < 127 else -1))
        return numbers

    monkeypatch.setattr(FullyConnected, "parameters", parameters)
    compile_model(folder, read_manifest(folder))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, [*arguments, "--model", "net"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, *(pytest.param(number, marks=pytest.mark.nightly) for number in (0, 1, 3))])
def test_the_bent_layer_is_named(folder: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bend(folder, number, monkeypatch)
    assert run("build").exit_code == 0
    shown = run("check", "--json")
    assert shown.exit_code == 1
    report = json.loads((folder / "boards" / "qemu-cortex-m4" / "check.json").read_text())
    assert report["bits_different"] > 0
    assert report["divergences"][0]["layer"] == f"operator {number} (FULLY_CONNECTED)"
    assert all(other["layer"] == "" for other in report["divergences"][1:])
    assert report["layer_note"] == ""
    assert f"it begins in operator {number} (FULLY_CONNECTED)" in shown.stderr


@pytest.mark.nightly
def test_samples_and_the_profile_name_it_too(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bend(folder, 2, monkeypatch)
    np.savez(tmp_path / "d.npz", x_q=np.arange(-120, 120, dtype=np.int8).reshape(80, 3))
    assert run("build").exit_code == 0
    shown = run("check", "--dataset", str(tmp_path / "d.npz"))
    assert shown.exit_code == 1
    assert "it begins in operator 2 (FULLY_CONNECTED)" in shown.output
    profiled = run("profile", "--no-noise")
    assert profiled.exit_code == 1
    assert "the output of operator 2 (FULLY_CONNECTED) is not what TFLite Micro computes" in profiled.output


@pytest.mark.slow
@pytest.mark.nightly
def test_the_layer_of_int16_inputs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    model = Model()
    x = model.input((1, 3), 1e-3, dtype="int16")
    hidden, y = (model.tensor((1, 3), 2e-3, dtype="int16") for _ in range(2))
    for source, target in ((x, hidden), (hidden, y)):
        model.add_dense(source, target, [[90, -70, 20], [-30, 80, 60], [50, 40, -100]], 0.02)
    folder = compiled(tmp_path / "net", model.build(y))
    right = FullyConnected._row
    monkeypatch.setattr(
        FullyConnected,
        "_row",
        lambda op, unit: (1, *right(op, unit)[1:]) if (op.operator.index, unit) == (1, 2) else right(op, unit),
    )
    compile_model(folder, read_manifest(folder))
    assert run("build").exit_code == 0
    assert "it begins in operator 1 (FULLY_CONNECTED)" in run("check").output


@pytest.mark.slow
@pytest.mark.nightly
def test_the_layer_is_named_that_only_the_frames_before_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last layer forgets the oldest rows of its window, which are silent until as many frames have come."""
    monkeypatch.setattr(tinyproof.core.paths, "BUILD", tmp_path)
    channels = 4
    folder = compiled(tmp_path / "net", StreamingNet(5, channels, silent=True).build())
    right = FullyConnected.constants

    def forgetful(op: FullyConnected) -> list[Constant]:
        weights, bias, *others = right(op)
        bias = dataclasses.replace(bias, values=[bias.values[0] + ZERO_POINT * sum(weights.values[:channels])])
        return [dataclasses.replace(weights, values=[0] * channels + list(weights.values[channels:])), bias, *others]

    monkeypatch.setattr(FullyConnected, "constants", forgetful)
    compile_model(folder, read_manifest(folder))
    assert run("build").exit_code == 0
    shown = run("check")
    assert shown.exit_code == 1
    assert "(FULLY_CONNECTED)" in shown.output.split("it begins in ")[1]
    report = json.loads((folder / "boards" / "qemu-cortex-m4" / "check.json").read_text())
    assert report["divergences"][0]["index"] >= WINDOW - 1

    frames = np.random.default_rng(1).integers(-128, 128, (2, WINDOW + 4, 48)).astype(np.int8)
    np.savez(tmp_path / "d.npz", x_q=frames)
    shown = run("check", "--dataset", str(tmp_path / "d.npz"))
    assert shown.exit_code == 1
    assert "(FULLY_CONNECTED)" in shown.output.split("it begins in ")[1]
    first = json.loads((folder / "boards" / "qemu-cortex-m4" / "dataset.json").read_text())["divergences"][0]
    assert first["index"] == 0
    assert first["frame"] >= WINDOW - 1


@pytest.mark.nightly
def test_a_weight_that_is_wrong_in_the_image_alone_is_named(folder: Path) -> None:
    """As after a bad upload: the C is right, and so is what is compiled from it anew."""
    assert run("build").exit_code == 0
    elf = folder / "boards" / "qemu-cortex-m4" / "firmware.elf"
    weights, image = model_constants(elf)["op2_weights"].content, elf.read_bytes()
    assert image.count(weights) == 1
    turned = bytes(weight ^ 0x80 for weight in weights)  # all: the compiler has some of them in its code, too
    elf.write_bytes(image.replace(weights, turned))
    record = read_build_record(elf.parent)
    assert record is not None
    digest = hashlib.sha256(elf.read_bytes()).hexdigest()  # otherwise the image is refused before it is asked
    dataclasses.replace(record, elf_sha256=digest).write(elf.parent)
    shown = run("check", "--json")
    assert shown.exit_code == 1
    first = json.loads(shown.stdout)["divergences"][0]
    assert (first["layer"], first["tensor"]) == ("operator 2 (FULLY_CONNECTED)", "t7")


def test_code_that_is_not_the_exporters_is_not_profiled(folder: Path) -> None:
    with (folder / "model_compiled.c").open("a") as file:
        file.write("/* edited */\n")
    with pytest.raises(UsageError, match=r"model_compiled.c is another version's; run ./tinyproof export again"):
        write_profile(folder)


def test_a_fault_that_is_not_in_the_model_is_not_blamed_on_a_layer(folder: Path) -> None:
    """Another device answers behind the port: this build's firmware, asked again, answers rightly."""
    manifest = read_manifest(folder)
    reference = Reference((folder / "model.tflite").read_bytes())

    def wrong(x_q: bytes) -> bytes:
        y = reference.run(x_q)
        return bytes([y[0] ^ 1, *y[1:]])

    with ScriptedBoard(single_device(manifest.model_id, manifest.inputs[0], manifest.outputs[0], wrong)) as board:
        shown = run("check", "--port", board.port)
    assert shown.exit_code == 1
    assert "asked operator by operator, the board answers this input rightly" in " ".join(shown.output.split())


@pytest.mark.parametrize(
    ("board", "says"),
    [
        ("nano33ble", "./tinyproof profile --board nano33ble names the operator"),
        ("nano33ble_tflm", "./tinyproof canary --board nano33ble_tflm names the part"),
        ("reference", "board reference has no firmware"),
    ],
)
def test_boards_that_are_not_asked_again_say_where_to_look(folder: Path, board: str, says: str) -> None:
    found = [Divergence(0, [3, 1, 4], 0, 1, 2)]
    assert says in locate(find_board(board), folder, found, PATIENT)
    assert found[0].layer == ""


@pytest.mark.parametrize("board", ["nano33ble_tflm", "reference", "qemu-cortex-m4"])
def test_the_only_layer_is_known_without_asking(tmp_path: Path, board: str) -> None:
    found = [Divergence(0, [3, 1, 4], 0, 1, 2)]
    assert locate(find_board(board), made(tmp_path / "one", [1, 1]), found, PATIENT) == ""
    assert found[0].layer == "operator 0 (FULLY_CONNECTED)"
    assert str(found[0]).endswith("board q = 2; it begins in operator 0 (FULLY_CONNECTED)")


def test_a_missing_compiler_does_not_hide_the_mismatch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    note = locate(find_board("qemu-cortex-m4"), folder, [Divergence(0, [3, 1, 4], 0, 1, 2)], PATIENT)
    assert note.startswith("the board could not be asked operator by operator: ")
    assert "arm-none-eabi-gcc" in note


def leave_out_platformio(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    """A profiling firmware is neither compiled nor uploaded. `asked`: "" for a compilation, "command" for that of an
    upload, and the port of an upload."""

    def platformio(
        board: object, build: object, objects: Path, *_: str, variant: str, note_upload: Path | None = None
    ) -> None:
        assert variant == "profile"
        assert objects.name == "pio_profile"
        asked.append("command" if note_upload else "")
        if note_upload:
            note_upload.write_text(json.dumps([sys.executable]))

    def uploader(board: object, command: list[str], port: str, log: object) -> None:
        assert command == [sys.executable]
        asked.append(port)

    monkeypatch.setattr(tinyproof.firmware.platformio_build, "run_platformio", platformio)
    monkeypatch.setattr("tinyproof.firmware.upload.run_platformio", platformio)
    monkeypatch.setattr("tinyproof.firmware.upload.run_uploader", uploader)
    # The touch at 1,200 baud would wait for the port to go and come back.
    monkeypatch.setattr("tinyproof.host.targets.loader.enter_loader", lambda _board, port, _lister: port)


def test_a_real_board_is_flashed_profiled_and_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The board is scripted, its build and upload are not made: what is left is all that this machine decides."""
    manifest = read_manifest(folder)
    steps = write_profile(folder)
    reference = Reference((folder / "model.tflite").read_bytes())
    parts = [part for step in steps for part in step.parts]
    uploads: list[str] = []
    wrong_step = -1

    def record(x_q: bytes) -> bytes:
        tensors = reference.trace(x_q, [part.index for part in parts])
        crcs = [zlib.crc32(part.of(tensor)) for part, tensor in zip(parts, tensors, strict=True)]
        if wrong_step >= 0:
            crcs[wrong_step] ^= 1
        times = [100 * (number + 1) + 5 for number in range(len(steps))]
        return struct.pack(f"<{len(steps) + 1 + len(crcs)}I", *times, 5, *crcs) + reference.run(x_q)

    def tracing(x_q: bytes) -> bytes:
        assert x_q[-REQUEST.size :] == bytes(REQUEST.size), "no operator is to run alone"
        return record(x_q[: -REQUEST.size])

    x = manifest.inputs[0]
    request = TensorSpec("request", [x.shape[-1] + REQUEST.size], "int8", x.scale, x.zero_point, x.bytes + REQUEST.size)
    leave_out_platformio(monkeypatch, uploads)
    output = TensorSpec("record", [1], "int8", 1.0, 0, len(record(bytes(3))))
    device = single_device(manifest.model_id, request, output, tracing, board="nano33ble", engine="profile")
    with ScriptedBoard(device) as board:
        shown = run("profile", "--board", "nano33ble", "--port", board.port, "--no-noise")
        assert shown.exit_code == 0, shown.output
        assert uploads == ["", "command", board.port]
        assert "net on nano33ble: 1,000 us" in shown.output
        assert "slowest  operator 3 (FULLY_CONNECTED), 40.0% of the time" in shown.output
        assert "./tinyproof flash --board nano33ble   # puts the model back" in shown.output
        wrong_step = 1
        shown = run("profile", "--board", "nano33ble", "--port", board.port, "--no-noise")
    assert shown.exit_code == 1
    assert "the output of operator 1 (FULLY_CONNECTED)" in shown.output


def test_a_normal_firmware_is_not_taken_for_a_profiling_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(folder)
    leave_out_platformio(monkeypatch, [])
    device = single_device(
        manifest.model_id, manifest.inputs[0], manifest.outputs[0], lambda x_q: x_q, board="nano33ble"
    )
    with ScriptedBoard(device) as board:
        shown = run("profile", "--board", "nano33ble", "--port", board.port)
    assert shown.exit_code == 3
    assert "does not run the profiling firmware of this build" in shown.output
    assert run("profile", "--board", "qemu-cortex-m4", "--port", "/dev/null").exit_code == 2
