# SPDX-License-Identifier: Apache-2.0
"""What stages print stays within 80 columns, with two blanks between them, whatever names a user's files have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyproof.cli.model_option import print_import
from tinyproof.cli.tables import FIRST, WIDTH, file_name, stage_line
from tinyproof.core.manifest import Artefact, Manifest, MemoryUse, TensorSpec
from tinyproof.core.origin import ImportAccuracy, ModelSource, RangeCalibration

X = TensorSpec("x", [1, 32, 32, 3], "int8", 0.1, 0, 3072)
Y = TensorSpec("y", [1, 10], "int8", 0.1, 0, 10)


@given(st.text(max_size=60))
def test_a_name_of_any_length_fits_its_column(name: str) -> None:
    shown = file_name(name)
    assert len(shown) <= FIRST
    assert shown.isascii()
    assert shown.isprintable()
    if len(ascii(name)[1:-1]) <= FIRST:
        assert shown == ascii(name)[1:-1]


def test_a_long_name_keeps_both_its_ends() -> None:
    assert file_name("pretrainedResnet_quant.tflite") == "pretrained...nt.tflite"
    assert file_name("twenty_two_long.tflite") == "twenty_two_long.tflite"
    assert stage_line("model", "neuron", "rest") == "model    neuron                  rest"


NAMES = {
    "short": "a.tflite",
    "seen": "pretrainedResnet_quant.tflite",
    "full": "x" * FIRST,
    "terminal": "\x1b[2J" * 9,
    "other": "é" * 40,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("size", [1_000, 96_768, 1_234_567, 16_777_216])
def test_an_import_is_shown_in_columns(name: str, size: int, capsys: pytest.CaptureFixture[str]) -> None:
    accuracy = ImportAccuracy(samples=500, worst_error=0.04321, sqnr_db=38.2, same_class_share=0.987)
    print_import(
        Manifest(
            "net",
            "0123456789abcdef",
            {"model.tflite": Artefact("", size)},
            [X],
            [Y],
            source=ModelSource(name, "keras", "", RangeCalibration(-1.0, 1.0, 500), accuracy),
            memory=MemoryUse(arena_bytes=1, tflm_arena_bytes=1, tensor_bytes=1, macs=112_501_632, operators=[]),
        )
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].endswith("  1x32x32x3 -> 1x10, 112,501,632 MACs")
    assert lines[1].startswith(f"export   model.tflite {size:,} B  ")
    assert lines[1].endswith("  int8, 500 samples    id 0123456789abcdef")
    assert lines[0].startswith(f"model    {file_name(name)}  ")
