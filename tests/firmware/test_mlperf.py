# SPDX-License-Identifier: Apache-2.0
"""The dialect of MLPerf Tiny's runner: transcripts and garbage on this machine, and a talk with a simulated board."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st
from support.compiled import compiled
from support.effort import examples
from support.protocol_driver import compile_driver
from support.tflite_writer import dense_network

from tinyproof.core.board_spec import find_board
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Manifest, TensorSpec, read_manifest
from tinyproof.core.paths import FIRMWARE
from tinyproof.core.reference.golden import Reference
from tinyproof.firmware.dialects import MLPERF, MlperfSample, mlperf_sample
from tinyproof.firmware.platformio_build import build
from tinyproof.host.targets.emulator import Emulator, firmware_elf

READY = "m-ready"
BANNER = ["m-timestamp-mode-performance", "m-lap-us-0", "m-init-done", READY]
SENT = ("own", "unsigned", "float")
Ask = Callable[..., list[list[str]]]


@pytest.fixture(scope="session")
def mlperf(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """ask(sent, stdin bytes) -> answers, each the lines before its m-ready; input: four bytes, or one float32."""
    rest = [FIRMWARE / "lib" / "protocol" / f"{name}.c" for name in ("quantize", "reply", "number", "crc16")]
    sources = [FIRMWARE / "lib" / "mlperf" / "mlperf.c", *rest]
    programs = {
        sent: compile_driver(tmp_path_factory, f"mlperf_{sent}", sources, sample(sent).defines()) for sent in SENT
    }

    def ask(sent: str, content: bytes, outputs: int = 4) -> list[list[str]]:
        inputs = "1" if sent == "float" else "4"
        command = [str(programs[sent]), "protocol", inputs, str(outputs)]
        done = subprocess.run(command, input=content, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        assert done.stdout.count(b"\n") == done.stdout.count(b"\r\n")
        lines = done.stdout.decode("latin-1").split("\r\n")
        assert lines[: len(BANNER)] == BANNER
        assert lines.pop() == ""
        answers: list[list[str]] = [[]]
        for line in lines[len(BANNER) :]:
            if line == READY:
                answers.append([])
            else:
                answers[-1].append(line)
        assert answers.pop() == []
        return answers

    return ask


def sample(sent: str) -> MlperfSample:
    return MlperfSample("kws01", sent, 4)


def test_the_runners_own_conversation(mlperf: Ask) -> None:
    """The engine gives its input plus the place; outputs are 0.25 * (q - 6)."""
    answers = mlperf("own", b"name%profile%\r\ntimestamp%db load 4%db 050a%db FFfe00%db print%infer 2 1%results%")
    assert answers == [
        ["m-name-dut-[tinyproof-native]"],
        ["m-profile-[ULPMark for tinyML Firmware V0.0.1]", "m-model-[kws01]"],
        ["m-lap-us-0"],
        ["m-[Expecting 4 bytes]"],
        [],
        ["m-load-done"],
        ["m-buffer-05-0a-ff-fe"],
        [
            *("m-warmup-start-1", "m-warmup-done", "m-infer-start-2", "m-lap-us-0"),
            *("m-lap-us-5", "m-infer-done", "m-results-[-0.250,1.250,-1.250,-1.250]"),  # 2 + 3 ticks, of the fake clock
        ],
        ["m-results-[-0.250,1.250,-1.250,-1.250]"],
    ]


def test_pixels_and_floats_become_the_inputs_integers(mlperf: Ask) -> None:
    load = b"db load 4%db 00ff8001%infer 1 0%"
    assert mlperf("unsigned", load)[-1][-1] == "m-results-[-33.500,-33.500,-1.000,-32.500]"  # 127 + 1 wraps
    # 10.0 at a scale of 0.5 and a zero point of -1 is 19; the output says 0.25 * (19 - 6) = 3.25.
    float_load = b"db load 4%db " + np.float32(10).tobytes().hex().encode() + b"%infer 1 0%"
    assert mlperf("float", float_load, outputs=1)[-1][-1] == "m-results-[45.562]"  # (10 - 3.25)^2, ties to even


@pytest.mark.parametrize(
    ("commands", "says"),
    [
        (b"nonesuch%", "e-[Unknown command: nonesuch]"),
        (b"%", "e-[Unknown command: ]"),
        (b"db%", "e-[Command 'db' requires a subcommand]"),
        (b"db load%", "e-[A sample of this model has 4 bytes]"),
        (b"db load 5%", "e-[A sample of this model has 4 bytes]"),
        (b"db load 99999999999999999999%", "e-[A sample of this model has 4 bytes]"),
        (b"db 00%", "e-[Command 'db' wants a 'db load' first]"),
        (b"db load 4%db 0%", "e-[Insufficent number of hex digits]"),
        (b"db load 4%db 0g%", "e-[Invalid hex digit]"),
        (b"infer 1 0%", "e-[No whole sample is loaded]"),
        (b"db load 4%db 000000%infer 1 0%", "e-[No whole sample is loaded]"),
        (b"infer 0%", "e-[Inference iterations must be >0]"),
        (b"infer -1%", "e-[Inference iterations must be >0]"),
        (b"infer 1 -1%", "e-[Inference warmup must be >=0]"),
        (b"results%", "e-[No inference yet]"),
        (b"db load 4%db 2a000000%infer 1 0%", "e-[The inference failed]"),
        (b"x" * 80 + b"%", "e-[Command too long]"),
        (b"na\0me%", "e-[Command too long]"),
    ],
)
def test_what_is_wrong_is_said_and_the_next_command_answered(mlperf: Ask, commands: bytes, says: str) -> None:
    answers = mlperf("own", commands + b"name%")
    assert answers[-2][-1] == says
    assert answers[-1] == ["m-name-dut-[tinyproof-native]"]


WORDS = (
    b"name",
    b"db",
    b"load",
    b"print",
    b"infer",
    b"results",
    b"4",
    b"0011",
    b"4294967296",
    b" ",
    b"%",
    b"\n",
    b"\xff",
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=90), max_size=40))
def test_no_input_crashes_it(mlperf: Ask, parts: list[bytes]) -> None:
    answers = mlperf("own", b"".join(parts).replace(b"infer", b"infer 2 2") + b"%name%")
    assert answers[-1] == ["m-name-dut-[tinyproof-native]"]


def ends(inputs: int, outputs: int, dtype: str = "int8", count: int = 1) -> Manifest:
    tensors = [TensorSpec("t", [1, size], dtype, 0.1, 0, size) for size in (inputs, outputs)]
    return Manifest("net", inputs=[tensors[0]] * count, outputs=[tensors[1]])


def test_a_sample_is_what_the_runners_data_set_has() -> None:
    board = find_board("qemu-cortex-m4")
    known = {(490, 12): ("kws01", "own", 490), (3072, 10): ("ic01", "unsigned", 3072)}
    known |= {(27648, 2): ("vww01", "unsigned", 27648), (640, 640): ("ad01", "float", 2560), (3, 2): ("net", "own", 3)}
    for (inputs, outputs), expected in known.items():
        found = mlperf_sample(board, ends(inputs, outputs))
        assert (found.model, found.sent, found.bytes) == expected
    for inputs, outputs in ((3072, 10), (27648, 2)):
        assert mlperf_sample(board, ends(inputs, outputs, "uint8")).sent == "own", "a byte is a pixel as it is"
    for manifest in (ends(3, 2, "int16"), ends(3, 2, count=2)):
        with pytest.raises(UsageError, match="knows one input of 8 bits and one output"):
            mlperf_sample(board, manifest)
    with pytest.raises(UsageError, match="no room for the runner's commands"):
        mlperf_sample(find_board("sim-uno"), ends(3, 2))


@pytest.mark.slow
def test_a_board_answers_the_runner_with_the_references_values(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "net", dense_network(20, [3, 5, 6, 4, 2]))
    board, manifest = find_board("qemu-cortex-m4"), read_manifest(folder)
    built = build(board, folder, dialect=MLPERF)
    assert built.layers["protocol"].flash_bytes > 1000
    assert built.stack_bound_bytes is not None, built.stack_bound_why
    assert not (folder / "boards" / board.name / "firmware.elf").exists()  # the usual one is another
    reference, y = Reference((folder / "model.tflite").read_bytes()), manifest.outputs[0]
    inputs = np.random.default_rng(3).integers(-128, 128, (20, 3)).astype(np.int8)
    with (
        Emulator(board, firmware_elf(board, folder, MLPERF)) as emulator,
        serial.serial_for_url(emulator.port, timeout=20) as port,
    ):
        hear(port)  # what it says at start
        assert ask(port, "name")[0] == f"m-name-dut-[tinyproof-{board.name}]"
        for row in inputs:
            ask(port, "db load 3")
            assert "m-load-done" in ask(port, f"db {row.tobytes().hex()}")
            said = ask(port, "infer 3 1")
            laps = [int(found[1]) for line in said if (found := re.fullmatch(r"m-lap-us-(\d+)", line))]
            q = np.frombuffer(reference.run(row.tobytes()), np.int8).astype(np.float32)
            right = ",".join(f"{value:.3f}" for value in np.float32(y.scale) * (q - y.zero_point))
            assert said[-2] == f"m-results-[{right}]"
            assert laps[0] == 0
            assert 3 * 100 < laps[1] < 3 * 2000  # instructions: a tick of this board stands for a microsecond


def ask(port: serial.Serial, command: str) -> list[str]:
    port.write(f"{command}%".encode())
    return hear(port)


def hear(port: serial.Serial) -> list[str]:
    lines: list[str] = []
    while not lines or lines[-1] != READY:
        line = port.readline()
        assert line.endswith(b"\n"), f"the board says no more after {lines}"
        lines.append(line.decode().strip())
    return lines
