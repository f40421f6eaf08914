# SPDX-License-Identifier: Apache-2.0
"""The cycle model of the Cortex-M4 on sequences whose cycles its manual gives, or that follow from it by hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.cortex_m4 import build_image, run_image

from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.emulator_command import ensure_counter
from tinyproof.core.errors import EnvironmentFaultError
from tinyproof.firmware.platformio_build import build
from tinyproof.host.cycles.cortex_m4 import DIVISION, CortexM4
from tinyproof.host.cycles.counts import counting
from tinyproof.host.cycles.measuring import INFERENCE, inference_cycles
from tinyproof.host.session import open_session
from tinyproof.host.step_trace import sample_inputs
from tinyproof.host.targets.emulator import Emulator

BOARD = find_board("qemu-cortex-m4")

# Each runs with r1, r2, r3 and r7 at the start of 64 zeroed bytes, r0 = 0, r5 = 8 and r6 = 3, and returns by BX LR.
# TRM: sequence and cycles are printed in the Technical Reference Manual; the others are sums over its table 3-1, or
# measured (see cortex_m4.py).
SEQUENCES = {
    "a cycle each": (
        "movs r0, #1; adds r0, #1; muls r0, r0; smlad r0, r5, r6, r0; smlal r0, r4, r5, r6; mla r0, r5, r6, r0",
        6,
    ),
    # The delay loop of the nRF52's own library counts on three cycles a round.
    "a loop of three cycles": ("movs r0, #10; 1: subs r0, #1; bne 1b", 1 + 9 * 3 + 2),
    "two loads, TRM": ("ldr r0, [r1]; ldr r1, [r2]", 3),
    "a load and a store, TRM": ("ldr r0, [r1, r5]; str r0, [r3, #20]", 3),
    "a load and an indexed store, TRM": ("ldr r0, [r1, r5]; str r0, [r3, r5]", 3),
    "three loads, TRM": ("ldr r0, [r1, r5]; ldr r1, [r2]; ldr r2, [r3, #4]", 4),
    "N loads take N + 1": ("ldr r0, [r1]; ldr r4, [r1, #4]; ldr r0, [r1, #8]; ldr r4, [r1, #12]; ldr r0, [r2]", 6),
    "an address that was loaded": ("str r1, [r1]; nop; ldr r0, [r1]; ldr r4, [r0]", 1 + 1 + 2 + 2),
    "an address that was computed": ("adds r1, #4; ldr r0, [r1]", 1 + 1 + 2),
    "an address that was computed early enough": ("adds r1, #4; nop; ldr r0, [r1]", 1 + 1 + 2),
    "a store, TRM": ("str r0, [r1, #4]", 1),
    "an indexed store": ("str r0, [r1, r5]", 2),
    "a load behind a store": ("str r0, [r1]; ldr r4, [r2]", 1 + 1 + 2),
    "a chain on one base": ("ldrsb r0, [r1], #1; ldrsb r4, [r1], #1", 4),
    "a chain on two bases": ("ldrsb.w r0, [r1], #1; ldrsb.w r4, [r2], #1", 3),
    "a list of three": ("ldm r1, {r0, r4, r6}", 4),
    "two words": ("ldrd r0, r4, [r1]; strd r0, r4, [r1]", 6),
    "a stack": ("push {r4, r5, r6}; pop {r4, r5, r6}", 8),
    "a word at an odd address": ("ldr r0, [r1, #1]", 4),
    "a word between two": ("ldr r0, [r1, #2]", 3),
    "a halfword at an odd address": ("ldrh r0, [r1, #3]", 3),
    "halfwords aligned, or a byte": ("ldrh r0, [r1, #2]; ldrb r4, [r2, #1]", 3),
    "a folded IT": ("cmp r0, r0; it eq; moveq r4, r5", 2),
    "an IT behind 32 bits": ("cmp.w r0, r0; it eq; moveq r4, r5", 3),
    "a load that is skipped": ("cmp r0, r0; it ne; ldrne r4, [r1]", 2),
    "a branch that is not taken": ("cmp r0, r0; bne 1f; 1: nop", 3),
    "a branch that is": ("cmp r0, r0; beq 1f; nop; 1: nop", 1 + 2 + 1),
    "a target off its word": ("b 1f; .balign 4; nop; 1: mov.w r4, r5", 2 + 1 + 1),
    "a target on its word": ("b 1f; .balign 4; 1: mov.w r4, r5", 2 + 1),
    "compare and branch": ("cbz r0, 1f; nop; nop; 1: cbnz r0, 2f; 2:", 2 + 1),
    "a table of branches, TRM": ("tbb [pc, r0]; 1: .byte (2f - 1b) / 2, 0; 2: nop", 6 + 1),
    "divisions": ("udiv r4, r5, r6; sdiv r4, r5, r6", 2 * DIVISION),
    "the FPU": (
        "vldr s0, [r1]; vadd.f32 s1, s0, s0; nop; vdiv.f32 s2, s0, s0; nop; vfma.f32 s3, s0, s0",
        2 + 1 + 1 + 14 + 1 + 3,
    ),
    "a result of the FPU that is used at once": ("vadd.f32 s1, s0, s0; vmul.f32 s2, s1, s1", 3),
    "doublewords": ("vldr d0, [r1]; vstr d0, [r1]; vpush {d8, d9}; vpop {d8, d9}", 3 + 3 + 5 + 5),
}
RETURN = 3  # BX LR: 1 + P
POP_RETURN = ("push {r4, lr}; pop {r4, pc}", 3 + 3 + 3)  # in place of BX LR


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Cycles of each sequence, run on the emulated core with all the others in one image."""
    here = tmp_path_factory.mktemp("cycles")
    bodies = [f"{body}; bx lr" for body, _ in SEQUENCES.values()] + [POP_RETURN[0]]
    text = [".syntax unified", ".thumb", ".text", ".global run", ".type run, %function", ".balign 4"]
    text += ["run: push {r4-r7, lr}; ldr r7, =memory"]
    for number in range(len(bodies)):
        text.append(f"movs r0, #0; mov r1, r7; mov r2, r7; mov r3, r7; movs r5, #8; movs r6, #3; bl f{number}")
    text += ["pop {r4-r7, pc}", ".ltorg"]
    for number, body in enumerate(bodies):
        text += [f".balign 4; .type f{number}, %function; f{number}:", *body.split("; "), ".ltorg"]
    text += [".bss", ".balign 8", "memory: .space 64"]
    (here / "sequences.s").write_text("\n".join(text) + "\n", encoding="utf-8")
    elf = build_image(here, [str(here / "sequences.s")])
    with counting(BOARD, elf, [f"f{number}" for number in range(len(bodies))]) as counter:
        assert run_image(elf, options=counter.options) == []
        calls = counter.calls()
    model = CortexM4(elf)
    return dict(zip([*SEQUENCES, "pop"], map(model.cycles, calls), strict=True))


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_takes_the_manuals_cycles(measured: dict[str, int], name: str) -> None:
    assert measured[name] - RETURN == SEQUENCES[name][1]


def test_a_return_by_the_stack_reloads_the_pipeline(measured: dict[str, int]) -> None:
    assert measured["pop"] == POP_RETURN[1]


def test_instructions_are_the_emulators_own_count(lesson_models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    shutil.copytree(lesson_models["wide"], folder)
    elf = build(BOARD, folder).elf
    inputs = sample_inputs(folder)
    with (
        counting(BOARD, elf, [INFERENCE]) as counter,
        Emulator(BOARD, elf, counter.options) as emulator,
        open_session(BOARD, folder, emulator.port, CheckConfig()) as session,
    ):
        ticks = [session.inference.by_parts(content).ticks for content in inputs]
        calls = counter.calls()
    executed = [sum(count.executed for count in call.values()) for call in calls]
    # The firmware's clock also runs while the engine is called and the clock is read: the same few instructions always.
    assert {one - two for one, two in zip(ticks, executed, strict=True)} == {6}
    cycles = inference_cycles(BOARD, folder, inputs, CheckConfig())
    assert cycles == [CortexM4(elf).cycles(call) for call in calls], "it repeats"
    assert all(count < one < 2 * count for count, one in zip(executed, cycles, strict=True))


def test_what_cannot_be_counted_is_said(tmp_path: Path, lesson_models: dict[str, Path]) -> None:
    (tmp_path / "empty.s").write_text(".global run\n.type run, %function\n.thumb\nrun: bx lr\n", encoding="utf-8")
    elf = build_image(tmp_path, [str(tmp_path / "empty.s")])
    with pytest.raises(EnvironmentFaultError, match="has no function engine_run"), counting(BOARD, elf, [INFERENCE]):
        pass
    with pytest.raises(EnvironmentFaultError, match="cannot be started"):
        ensure_counter(str(tmp_path / "no-such-qemu"))
    old = tmp_path / "qemu"
    old.write_text("#!/bin/sh\necho QEMU emulator version 4.2.1\n", encoding="utf-8")
    old.chmod(0o755)
    with pytest.raises(EnvironmentFaultError, match="has no plugins"):
        ensure_counter(str(old))
    plugin = ensure_counter("qemu-system-arm", tmp_path / "counter.so")
    refused = subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-plugin", f"{plugin},what=1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode != 0
    assert "unknown argument what=1" in refused.stderr
