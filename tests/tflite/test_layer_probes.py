# SPDX-License-Identifier: Apache-2.0
"""What a board makes itself for an operator that runs alone is what the host makes, and all that is written shows."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tinyproof.core.paths import FIRMWARE
from tinyproof.core.tflite.layer_probes import LayerProbe, ProbeTensor
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.core.tflite.probe_contents import step_digest

ARENA = 150  # no multiple of 4
# A kernel that gives each byte of 40 times 3, plus 1, and leaves anything in its scratch.
KERNEL = """
#include "probe.h"
#include <stdio.h>
static probe_word memory[PROBE_WORDS(150)];
static void run(int8_t *arena) {
    for (int i = 0; i < 40; i++) {
        arena[96 + i] = (int8_t)(3 * arena[%(input)d + i] + 1);
        arena[60 + i %% 8] = (int8_t)i;
    }
    %(more)s
}
int main(void) {
    const struct probe_input inputs[] = {{%(input)d, %(elements)d, %(zero)d, %(bytes)d}};
    const struct probe probe = {0, 1, 60, 8, 12, %(first)d, %(words)d, 1, 2, 0};
    static const int8_t given[] = {99, %(given)s};
    printf("%%u %%u\\n", probe_step(memory, 150, run, &probe, inputs, given, 1, 5, 0, 9),
           probe_step(memory, 150, run, &probe, inputs, given, 1, 5, 9, 20));
    return 0;
}
"""


def probe_of(element_bytes: int) -> LayerProbe:
    x = ProbeTensor(TensorPart(0), 8, 40, element_bytes, -20)
    return LayerProbe((x,), (ProbeTensor(TensorPart(1), 96, 40, 1, 0),), (60, 8), 12, (bytes(range(40)), b"\x80" * 40))


def answer(folder: Path, probe: LayerProbe, more: str = "") -> list[int]:
    """By the C, of trials 0 to 8 and of those from 9 on."""
    (x,) = probe.inputs
    first, end = probe.window
    words = {"input": x.offset, "elements": x.bytes // x.element_bytes, "zero": x.zero_point, "bytes": x.element_bytes}
    given = ", ".join(str((byte ^ 128) - 128) for byte in b"".join(probe.given))
    more_words = {"first": first, "words": end - first, "more": more, "given": given}
    (folder / "probe.c").write_text(KERNEL % {**words, **more_words})
    flags = ["-std=gnu99", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{FIRMWARE / 'lib' / 'engine'}"]
    subprocess.run(["gcc", *flags, str(folder / "probe.c"), "-o", str(folder / "probe")], check=True)
    done = subprocess.run([folder / "probe"], capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


def right(probe: LayerProbe) -> list[int]:
    def compute(contents: Sequence[bytes]) -> list[bytes]:
        return [bytes((3 * byte + 1) % 256 for byte in contents[0])]

    return [step_digest(probe, ARENA, 5, trials, compute) for trials in (range(9), range(9, 20))]


@pytest.mark.parametrize("element_bytes", [1, 2])
def test_both_sides_make_the_same_contents_and_digests(tmp_path: Path, element_bytes: int) -> None:
    probe = probe_of(element_bytes)
    found = answer(tmp_path, probe)
    assert found == right(probe)
    assert len(set(found)) == 2


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ("arena[ARENA] = 1;", [True, True]),  # in the guard behind it
        ("arena[-30] = 1;", [True, False]),  # in the one before it, where only the first contents look
        ("arena[50] = 1;", [True, True]),  # between input and output
        ("arena[96] = (int8_t)(arena[96] ^ 1);", [True, True]),
        ("arena[61] = 1;", [False, False]),  # in the scratch
    ],
)
def test_a_byte_that_is_written_beside_the_outputs_shows(tmp_path: Path, more: str, seen: list[bool]) -> None:
    probe = probe_of(1)
    found = answer(tmp_path, probe, more.replace("ARENA", str(ARENA)))
    assert [ours != theirs for ours, theirs in zip(found, right(probe), strict=True)] == seen


def test_what_is_given_lies_between_two_of_the_greatest_bytes(tmp_path: Path) -> None:
    probe = probe_of(1)
    found = answer(tmp_path, probe, "arena[96] = (int8_t)(arena[96] ^ (arena[7] == 127 && arena[48] == 127));")
    assert [ours != theirs for ours, theirs in zip(found, right(probe), strict=True)] == [False, True]


# Of two inputs of 16 K each; what comes out is wrong for one pair in one of the four places that it can stand in.
PAIRS_KERNEL = """
#include "probe.h"
#include <stdio.h>
static probe_word memory[PROBE_WORDS(49152)];
static void run(int8_t *arena) {
    for (int i = 0; i < 16384; i++) {
        const int wrong = %(wrong)d && arena[i] == 57 && arena[16384 + i] == -128 && i %% 4 == %(place)d;
        arena[32768 + i] = (int8_t)(arena[i] + 3 * arena[16384 + i] + wrong);
    }
}
int main(void) {
    const struct probe_input inputs[] = {{0, 16384, 0, 1}, {16384, 16384, 0, 1}};
    const struct probe probe = {0, 2, 0, 0, 17, 0, PROBE_WORDS(49152), 0, 0, 16};
    const int8_t given[] = {0};
    printf("%%u\\n", probe_step(memory, 49152, run, &probe, inputs, given, 1, 5, 1, 17));
    return 0;
}
"""


@pytest.mark.parametrize("place", [None, 0, 1, 2, 3])
def test_every_pair_of_bytes_is_asked_in_each_of_four_places(tmp_path: Path, place: int | None) -> None:
    x, y, z = (ProbeTensor(TensorPart(number), 16384 * number, 16384, 1, 0) for number in range(3))
    probe = LayerProbe((x, y), (z,), (0, 0), 17, pairs=16)
    assert probe.passes == 4
    seen = set()

    def compute(contents: Sequence[bytes]) -> list[bytes]:
        a, b = (np.frombuffer(content, np.uint8).astype(int) for content in contents)
        seen.update((np.arange(a.size) % 4 * 65536 + 256 * b + a).tolist())
        return [(a + 3 * b).astype(np.uint8).tobytes()]

    digest = step_digest(probe, 49152, 5, range(1, 17), compute)
    assert len(seen) == 4 * 65536
    (tmp_path / "probe.c").write_text(PAIRS_KERNEL % {"wrong": place is not None, "place": place or 0})
    flags = ["-std=gnu99", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{FIRMWARE / 'lib' / 'engine'}"]
    subprocess.run(["gcc", *flags, str(tmp_path / "probe.c"), "-o", str(tmp_path / "probe")], check=True)
    done = subprocess.run([tmp_path / "probe"], capture_output=True, text=True, check=True)
    assert (int(done.stdout) == digest) == (place is None)


def test_a_part_of_a_tensor_goes_back_where_it_came_from() -> None:
    part = TensorPart(3, (0, 2), 3)
    whole = bytes(range(12))
    assert part.into(whole, part.of(whole)) == whole
    assert part.into(bytes(12), b"\1\2\3\4\5\6\7\7") == bytes([1, 0, 2, 3, 0, 4, 5, 0, 6, 7, 0, 7])
