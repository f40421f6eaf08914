# SPDX-License-Identifier: Apache-2.0
"""Proves a board: every vector's bits against the golden reference, and the expected answers within the tolerance."""

from __future__ import annotations

from pathlib import Path

from tinyproof.core.board_spec import Board
from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import UsageError
from tinyproof.core.manifest import Expected, read_manifest
from tinyproof.core.reference.golden import in_words
from tinyproof.host.bits import Progress, ask_inputs, ask_sequence
from tinyproof.host.check_report import CheckedAnswer, CheckReport, write_report
from tinyproof.host.expected import Golden, read_vectors
from tinyproof.host.protocol.messages import Answer
from tinyproof.host.protocol.numbers import float_bits, float_from_bits
from tinyproof.host.session import Session, open_session


def check(
    board: Board, build_dir: Path, port: str | None, config: CheckConfig, progress: Progress | None = None
) -> CheckReport:
    """Asks the board everything that the build's vectors and manifest hold, then as many inputs of its own as the
    configuration says, and writes boards/<board>/check.json.

    A mismatch is in the report; raises what `open_session` raises.
    """
    manifest = read_manifest(build_dir)
    vectors = read_vectors(build_dir)
    golden = Golden(build_dir, manifest, vectors)
    tolerance = manifest.tolerance
    with open_session(board, build_dir, port, config, manifest=manifest) as session:
        inputs = vectors.inputs
        session.expect(2 * len(inputs) + len(manifest.expected), config)
        # All divergences are kept: JUnit has a case for each vector, and the canary is diagnosed by all its answers.
        if vectors.sequence:
            bits = ask_sequence(session, inputs, golden.frame, progress, keep=len(inputs))
        else:
            bits = ask_inputs(session, inputs, golden.run, progress, keep=len(inputs))
        limit = None if tolerance is None else tolerance.value
        answers = [_check_answer(session, expected, golden, limit) for expected in manifest.expected]
        many = None
        if config.vectors and bits.identical:
            from tinyproof.host.many.asking import ask_many  # brings in numpy

            many = ask_many(session, build_dir, config, progress)
        # Asked once more where it tells how deep its stack went meanwhile.
        info = session.inference.greet() if session.info.stack_bytes else session.info
        bits.repeats, bits.resets = session.repeats, session.resets
    report = CheckReport(
        *(manifest.model, manifest.model_id, info.board, info.engine, info.protocol, vectors.kind),
        reference=in_words(manifest.versions.get("reference", "")),
        bits=bits,
        answers=answers,
        tolerance=limit,
        tolerance_why="" if tolerance is None else tolerance.why,
        startup_ticks=info.startup_ticks,
        arena_used_bytes=info.arena_used_bytes,
        coverage=vectors.coverage,
        stack_used_bytes=info.stack_bytes,
        many=many,
    )
    write_report(report, board, build_dir)
    return report


def _check_answer(session: Session, expected: Expected, golden: Golden, tolerance: float | None) -> CheckedAnswer:
    """Asks in real values, and follows the board through quantization, inference and dequantization."""
    if (len(expected.x), len(expected.y)) != (session.x.elements, session.y.elements):
        raise UsageError("the manifest's expected answers do not fit the model; run ./tinyproof export again")
    content = session.x.content(session.x.quantize(expected.x))
    session.begin()
    answer = session.inference.from_real(expected.x)
    if answer is None:  # too long for a line: the host quantizes and dequantizes, the board infers
        answer = session.inference.from_bytes(content)
    y = session.y.dequantize(answer.q)
    fault = _answer_fault(session, answer, session.y.values(golden.run(content)), y, content)
    if answer.y_bits is not None:
        y = [float_from_bits(bits) for bits in answer.y_bits]
    errors = [abs(ours - right) for ours, right in zip(y, expected.y, strict=True)]
    finite = all(error < float("inf") for error in errors)  # False for NaN, too: a board may send any 32 bits
    error = max(errors) if finite else float("inf")
    saturated = "input" if session.x.saturates(expected.x) else "output" if session.y.at_end(answer.q) else ""
    within = None if tolerance is None else error <= tolerance
    return CheckedAnswer(expected.x, expected.y, y, error, within, not fault, fault, saturated, expected.source)


def _answer_fault(session: Session, answer: Answer, q_golden: tuple[int, ...], y: list[float], content: bytes) -> str:
    """Where the board's answer leaves the path x -> x_q -> q -> y, or "" when it keeps to it bit for bit."""
    for index, (ours, theirs) in enumerate(zip(q_golden, answer.q, strict=True)):
        if ours != theirs:
            x_q = list(session.x.values(content)[:4])
            return f"quantized to x_q = {x_q} it must answer q[{index}] = {ours}, the board answers {theirs}"
    if answer.y_bits is not None:
        for index, (value, bits) in enumerate(zip(y, answer.y_bits, strict=True)):
            if float_bits(value) != bits:
                return (
                    f"q[{index}] = {answer.q[index]} is y = {float_bits(value):08X} ({value:.9g}), "
                    f"the board says {bits:08X} ({float_from_bits(bits):.9g})"
                )
    return ""
