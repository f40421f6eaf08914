# SPDX-License-Identifier: Apache-2.0
"""Proves a board: every vector's bits against the golden reference, and the expected answers within the tolerance."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.core.manifest import Expected, Manifest, Tensor, read_manifest
from tinyproof.core.reference.golden import in_words
from tinyproof.core.tflite.arithmetic import at_end, dequantize, quantize, saturates
from tinyproof.host.check_report import CheckedAnswer, CheckReport, Divergence
from tinyproof.host.expected import Golden
from tinyproof.host.inference import Inference
from tinyproof.host.protocol.messages import Answer, Info, parse_info
from tinyproof.host.protocol.numbers import float_bits, float_from_bits, int8s
from tinyproof.host.targets.emulator import Emulator, firmware_elf
from tinyproof.host.targets.reference_board import ReferenceBoard
from tinyproof.host.transport.client import Link
from tinyproof.host.transport.ports import policy_of

FILE = "check.json"
Progress = Callable[[float, int], None]  # (vectors done, the present one in part, and all vectors)


def check(
    board: Board, build_dir: Path, port: str | None, config: CheckConfig, progress: Progress | None = None
) -> CheckReport:
    """Asks the board everything that the build's vectors and manifest hold, and writes boards/<board>/check.json.

    Without `port`, a simulated board is started, and the reference device for board `reference`.
    A mismatch is in the report; raises BoardError when the board is absent, silent or runs another model, UsageError
    when the build is incomplete, EnvironmentFaultError when the emulator is missing or stops.
    """
    manifest = read_manifest(build_dir)
    vectors, kind = read_vectors(build_dir)
    x_tensor, y_tensor = tensors_of(manifest)
    policy = policy_of(board)
    with (
        board_port(board, build_dir, port) as name,
        Link(name, policy, config.timeout_s, config.retries) as link,
    ):
        info = greet(link, manifest, (x_tensor, y_tensor), policy.boot_s)
        inference = Inference(link, info, lambda: greet(link, manifest, (x_tensor, y_tensor)))
        report = CheckReport(
            *(manifest.model, manifest.model_id, info.board, info.engine, info.protocol, kind),
            reference=in_words(manifest.versions.get("reference", "")),
        )
        report.startup_ticks = info.startup_ticks
        _check_bits(inference, vectors, report, progress)
        golden = Golden(build_dir, dict(vectors))
        if manifest.tolerance is not None:
            report.tolerance, report.tolerance_why = manifest.tolerance.value, manifest.tolerance.why
        report.answers = [
            _check_answer(inference, expected, x_tensor, y_tensor, golden, report.tolerance)
            for expected in manifest.expected
        ]
        report.repeats, report.resets = link.repeats, inference.resets
    write_report(report, board, build_dir)
    return report


def write_report(report: CheckReport, board: Board, build_dir: Path) -> None:
    """check.json in boards/<board>/."""
    folder = build_dir / "boards" / board.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(report.as_dict(), indent=1) + "\n", encoding="utf-8")


@contextlib.contextmanager
def board_port(board: Board, build_dir: Path, port: str | None) -> Iterator[str]:
    """The pyserial URL of the board, which is started where it is not a thing of its own."""
    if port is not None:
        yield port
    elif board.kind == "simulated":
        with Emulator(board, firmware_elf(board, build_dir)) as emulator:
            yield emulator.port
    elif board.kind == "host":
        with ReferenceBoard(build_dir) as reference:
            yield reference.port
    else:
        raise UsageError(f"board {board.name} is real hardware; say where it is: --port /dev/ttyACM0, for example")


def read_vectors(build_dir: Path) -> tuple[list[tuple[bytes, bytes]], str]:
    """(input, golden output) pairs and their kind. Raises UsageError when the file is missing or damaged."""
    name = f"build/{build_dir.name}/vectors.json"
    try:
        document = json.loads((build_dir / "vectors.json").read_text(encoding="utf-8"))
        pairs = [(bytes.fromhex(entry["in"]), bytes.fromhex(entry["out"])) for entry in document["vectors"]]
        return pairs, str(document["kind"])
    except FileNotFoundError:
        raise UsageError(f"{name} is missing; run ./tinyproof export first") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{name} is damaged; run ./tinyproof export again") from None


def tensors_of(manifest: Manifest) -> tuple[Tensor, Tensor]:
    if len(manifest.inputs) != 1 or len(manifest.outputs) != 1 or not re.fullmatch("[0-9a-f]{16}", manifest.model_id):
        raise UsageError(f"build/{manifest.model} is not exported yet; run ./tinyproof export first")
    return manifest.inputs[0], manifest.outputs[0]


def greet(link: Link, manifest: Manifest, tensors: tuple[Tensor, Tensor], boot_s: float = 0.0) -> Info:
    """`info`, compared with the build: refuses a board that runs another model."""
    patience = link.retries + int(boot_s / link.timeout_s)
    info = parse_info(link.request("info", patience))
    if info.model != manifest.model_id:
        raise BoardError(
            f"the board on {link.name} runs model {info.model}, this build is {manifest.model_id}; "
            "build and flash again, or check the build that is on the board (--model)"
        )
    if (info.in_bytes, info.out_bytes) != (tensors[0].bytes, tensors[1].bytes):
        raise BoardError(
            f"the board takes {info.in_bytes} bytes and gives {info.out_bytes}, the model takes {tensors[0].bytes} "
            f"and gives {tensors[1].bytes}; build and flash again"
        )
    return info


def _check_bits(
    inference: Inference, vectors: list[tuple[bytes, bytes]], report: CheckReport, progress: Progress | None
) -> None:
    low, high, unit = None, 0, ""
    before = inference.link.requests
    start = time.perf_counter()
    for index, (content, golden) in enumerate(vectors):
        inference.on_part = part_of(progress, index, len(vectors), len(content))
        answer = inference.from_int8(content)
        expected = int8s(golden)
        report.bits_checked += 1
        if answer.q != expected:
            element = next(i for i, (ours, theirs) in enumerate(zip(expected, answer.q, strict=True)) if ours != theirs)
            report.bits_different += 1
            report.divergences.append(
                Divergence(index, list(int8s(content)), element, expected[element], answer.q[element])
            )
        low = answer.ticks if low is None else min(low, answer.ticks)
        high, unit = max(high, answer.ticks), answer.unit
        if progress is not None:
            progress(index + 1, len(vectors))
    seconds = time.perf_counter() - start
    report.ticks_min, report.ticks_max, report.tick_unit = low or 0, high, unit
    report.round_trips = inference.link.requests - before
    report.round_trips_per_second = round(report.round_trips / seconds, 1) if seconds else 0.0


def part_of(progress: Progress | None, index: int, count: int, size: int) -> Callable[[int], None] | None:
    """What an inference calls while it loads input `index` of `count`, which has `size` bytes."""
    return None if progress is None else lambda loaded: progress(index + loaded / size, count)


def _check_answer(
    inference: Inference,
    expected: Expected,
    x_tensor: Tensor,
    y_tensor: Tensor,
    golden: Golden,
    tolerance: float | None,
) -> CheckedAnswer:
    """Asks in real values, and follows the board through quantization, inference and dequantization."""
    if (len(expected.x), len(expected.y)) != (x_tensor.bytes, y_tensor.bytes):
        raise UsageError("the manifest's expected answers do not fit the model; run ./tinyproof export again")
    content = bytes(quantize(value, x_tensor.scale, x_tensor.zero_point) & 0xFF for value in expected.x)
    answer = inference.from_real(expected.x)
    if answer is None:  # too long for a line: the host quantizes and dequantizes, the board infers
        answer = inference.from_int8(content)
    q_golden = int8s(golden.run(content))
    y = [dequantize(q, y_tensor.scale, y_tensor.zero_point) for q in answer.q]
    fault = _answer_fault(answer, q_golden, y, content)
    if answer.y_bits is not None:
        y = [float_from_bits(bits) for bits in answer.y_bits]
    errors = [abs(ours - right) for ours, right in zip(y, expected.y, strict=True)]
    finite = all(error < float("inf") for error in errors)  # False for NaN, too: a board may send any 32 bits
    error = max(errors) if finite else float("inf")
    saturated = "input" if any(saturates(value, x_tensor.scale, x_tensor.zero_point) for value in expected.x) else ""
    if not saturated and any(at_end(q, y_tensor.zero_point) for q in answer.q):
        saturated = "output"
    within = None if tolerance is None else error <= tolerance
    return CheckedAnswer(expected.x, expected.y, y, error, within, not fault, fault, saturated, expected.source)


def _answer_fault(answer: Answer, q_golden: tuple[int, ...], y: list[float], content: bytes) -> str:
    """Where the board's answer leaves the path x -> x_q -> q -> y, or "" when it keeps to it bit for bit."""
    for index, (ours, theirs) in enumerate(zip(q_golden, answer.q, strict=True)):
        if ours != theirs:
            x_q = list(int8s(content[:4]))
            return f"quantized to x_q = {x_q} it must answer q[{index}] = {ours}, the board answers {theirs}"
    if answer.y_bits is not None:
        for index, (value, bits) in enumerate(zip(y, answer.y_bits, strict=True)):
            if float_bits(value) != bits:
                return (
                    f"q[{index}] = {answer.q[index]} is y = {float_bits(value):08X} ({value:.9g}), "
                    f"the board says {bits:08X} ({float_from_bits(bits):.9g})"
                )
    return ""
