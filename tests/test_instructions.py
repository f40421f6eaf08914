# SPDX-License-Identifier: Apache-2.0
"""tests/instructions.json, the instructions of each layer, is what is measured; and what grows is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.instruction_table import RECORDED, assert_nothing_grew

from tinyproof.cli import main as cli
from tinyproof.cli.verbs import bench
from tinyproof.core import paths
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig, Config
from tinyproof.core.errors import InputFileError, UsageError
from tinyproof.layer_counts import counted_boards, differences, measure_layers, read_rows, write_rows
from tinyproof.train.tinyperf import MODELS

ROW: dict[str, Any] = {
    "model": "net",
    "board": "qemu-cortex-m4",
    "layers": [
        {"index": 0, "name": "CONV_2D", "instructions": 10_000},
        {"index": 2, "name": "SOFTMAX", "instructions": 200},
    ],
}


def changed(convolution: int, softmax: int = 200) -> dict[str, Any]:
    first, second = ROW["layers"]
    return {**ROW, "layers": [{**first, "instructions": convolution}, {**second, "instructions": softmax}]}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["neuron", "sine"])
def test_no_layer_of_the_smallest_models_grew(lesson_models: dict[str, Path], tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(lesson_models[name], folder)
    assert_nothing_grew(name, "qemu-cortex-m4", measure_layers(find_board("qemu-cortex-m4"), folder, CheckConfig()))


@pytest.mark.nightly
def test_no_layer_grew_on_any_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    monkeypatch.setattr(paths, "CURRENT_FILE", tmp_path / "current")
    monkeypatch.setattr(bench, "TINYPERF", tmp_path / "tinyperf")
    monkeypatch.setattr(bench, "EXAMPLE", tmp_path / "example")
    measured = bench.measure_record(Config(check=CheckConfig(timeout_s=60.0)))
    recorded = read_rows(RECORDED)
    assert {(row["model"], row["board"]) for row in measured} == {(row["model"], row["board"]) for row in recorded}
    assert [str(one) for one in differences(recorded, measured) if one.grew] == []


def test_the_table_has_every_model_on_the_first_board() -> None:
    on_m4 = [row["model"] for row in read_rows(RECORDED) if row["board"] == "qemu-cortex-m4"]
    assert set(on_m4) == {"neuron", "sine", "gestures", *MODELS}
    assert len({row["board"] for row in read_rows(RECORDED)}) == 8


def test_a_layer_that_grows_by_more_than_a_percent_is_found(tmp_path: Path) -> None:
    recorded = tmp_path / "table.json"
    write_rows(recorded, [ROW])
    before = read_rows(recorded)
    assert before == [ROW]
    assert differences(before, [ROW]) == []
    assert [one.grew for one in differences(before, [changed(10_100)])] == [False, False], "a percent is let pass"
    layer, whole = differences(before, [changed(10_200)])
    assert (layer.grew, whole.grew) == (True, True)
    assert str(layer) == "net on qemu-cortex-m4, operator 0 (CONV_2D): 10,000 -> 10,200 instructions, +2.0%"
    layer, whole = differences(before, [changed(10_000, 203)])
    assert (layer.grew, whole.grew) == (True, False), "a small layer does not hide behind a large one"
    assert [one.grew for one in differences(before, [changed(5_000)])] == [False, False], "less is welcome"


def test_a_new_layer_counts_in_the_whole() -> None:
    more = {**ROW, "layers": [*ROW["layers"], {"index": 3, "name": "RESHAPE", "instructions": 500}]}
    found = {one.layer: one for one in differences([ROW], [more])}
    assert str(found["operator 3 (RESHAPE)"]).endswith("none -> 500 instructions")
    assert not found["operator 3 (RESHAPE)"].grew
    assert found["all operators"].grew


def test_other_models_or_boards_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="nothing to compare"):
        differences([ROW], [{**ROW, "board": "qemu-cortex-m3"}])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"results": 1}', '{"results": [{}]}', '{"results": [{"model": "a", "board": "b"}]}']
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError, match=r"table\.json: not a document of"):
        read_rows(tmp_path / "table.json")
    with pytest.raises(InputFileError, match=r"none\.json"):
        read_rows(tmp_path / "none.json")


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Result]:
    """`bench --compare` with the table of ROW, where this row is measured."""
    write_rows(tmp_path / "table.json", [ROW])

    def run(row: dict[str, Any]) -> Result:
        totals = ("engine_flash_bytes", "engine_ram_bytes", "instructions_per_inference", "cycles_per_inference")
        whole = {**row, "bits_checked": 8, "bits_different": 0, **dict.fromkeys(totals, 1)}
        monkeypatch.setattr(bench, "measure", lambda *_, **__: {"results": [whole]})
        return CliRunner().invoke(cli.main, ["bench", "--json", "--compare", str(tmp_path / "table.json")])

    return run


def test_bench_exits_with_1_where_something_grew(compare: Callable[[dict[str, Any]], Result]) -> None:
    same = compare(ROW)
    assert same.exit_code == 0
    assert "nothing grew by more than 1%" in same.stderr
    grown = compare(changed(10_200))
    assert grown.exit_code == 1
    assert grown.stderr.splitlines()[0].startswith("GREW     net on qemu-cortex-m4, operator 0 (CONV_2D): 10,000")
    assert "2 counts grew by more than 1%" in grown.stderr
    assert compare(changed(9_000)).exit_code == 0
    assert grown.stdout.startswith("{"), "the document alone"


def test_recording_takes_no_other_option(tmp_path: Path) -> None:
    run = CliRunner().invoke(cli.main, ["bench", "--json", "--record", str(tmp_path / "table.json")])
    assert run.exit_code == 2
    assert not (tmp_path / "table.json").exists()


def test_boards_that_count_and_have_room(lesson_models: dict[str, Path]) -> None:
    names = {board.name for board in counted_boards((lesson_models["neuron"] / "model.tflite").read_bytes())}
    assert {"qemu-cortex-m0", "qemu-cortex-m4", "qemu-xtensa"} < names
    assert not {"sim-uno", "reference", "nano33ble", "qemu-cortex-m4_tflm"} & names
