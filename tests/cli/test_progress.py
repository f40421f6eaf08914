# SPDX-License-Identifier: Apache-2.0
"""Progress where there is no terminal, and lines that keep to 80 columns."""

from __future__ import annotations

import pytest

from tinyproof.cli.console import print_next
from tinyproof.cli.progress import PlainTasks
from tinyproof.cli.tables import WIDTH, aligned, middle_out, stage_line
from tinyproof.cli.verbs.profile import print_profile


def test_a_line_comes_every_ten_seconds_and_no_sooner(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    bars = PlainTasks(lambda: now)
    task = bars.add_task("check sim-uno   ", note="asks")
    lines = []
    for second in range(1, 36):
        now = float(second)
        bars.update(task, completed=second * 2, total=400)
        lines += [(second, line) for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        (10, "check sim-uno: 20 of 400, asks, about 190 s left, 10 s so far".replace("190 s", "3 min")),
        (20, "check sim-uno: 40 of 400, asks, about 3 min left, 20 s so far"),
        (30, "check sim-uno: 60 of 400, asks, about 3 min left, 30 s so far"),
    ]


def test_a_task_that_nobody_can_measure_says_what_it_is_at(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    bars = PlainTasks(lambda: now)
    task = bars.add_task("train")
    now = 11.0
    bars.update(task, note="makes sounds")
    assert capsys.readouterr().err == "train: makes sounds, 11 s so far\n"


def test_names_lose_their_middle_where_a_table_is_too_wide() -> None:
    rows = [("0", "a_layer_of_a_rather_long_name_that_somebody_gave_to_a_convolution", "12"), ("1", "short", "3" * 30)]
    lines = aligned(rows, right=(2,), shorten=(1,))
    assert max(map(len, lines)) == WIDTH
    assert lines[0].startswith("0  a_layer_of_a_rather")
    assert "a_convolution" in lines[0]
    assert "..." in lines[0]
    assert aligned([("a", "b")], shorten=(0, 1)) == ["a  b"]
    assert len(max(aligned([("x" * 90, "y" * 90)], shorten=(0,)))) > WIDTH, "what may not be shortened stays"
    assert middle_out("abcdefghij", 7) == "ab...ij"


def test_what_stands_behind_a_name_is_wrapped_there() -> None:
    first, second = stage_line("check", "samples.npz", "12 of 200 samples of 75 frames on qemu-cortex-m4").split("\n")
    assert len(first) <= WIDTH
    assert second == f"{'':33}qemu-cortex-m4"


def test_a_command_is_never_broken(capsys: pytest.CaptureFixture[str]) -> None:
    long = f"./tinyproof check --model {'m' * 60}"
    print_next("./tinyproof boards   # others", f"{long}   # accuracy")
    lines = capsys.readouterr().out.splitlines()
    assert [line[9:].removeprefix("./") for line in lines] == [
        *("tinyproof boards   # others", "# accuracy", long.removeprefix("./")),
    ]


@pytest.mark.parametrize("noise", [None, "samples.npz"])
def test_a_profile_fits_the_terminal(noise: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    """With every column there is, and a name that is longer than any of TensorFlow's own."""
    operator = {
        "index": 123, "name": "CUSTOM SignalFilterBankSpectralSubtraction", "output": [1, 112, 112, 128],
        "macs": 123_456_789, "ticks": 123_456_789, "cycles": 223_456_789, "share": 0.5, "macs_per_tick": 0.5,
        "sqnr_db": 31.25, "noise_added": 0.0123,
    }  # fmt: skip
    document = {"model": "net", "board": "qemu-cortex-m4", "tick_unit": "insn", "ticks": 9, "cycles": 9, "macs": 9}
    print_profile({**document, "noise_samples": noise, "operators": [operator, {**operator, "index": 4}]})
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "CUSTO" in lines[2]
    assert ("31.2" in lines[2]) == (noise is not None)
