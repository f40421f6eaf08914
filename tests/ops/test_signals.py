# SPDX-License-Identifier: Apache-2.0
"""What docs/operators.md says of signal operators, and a frame's way through most of them."""

from __future__ import annotations

import re
from pathlib import Path

from support.op_cases import assert_bit_exact
from support.op_signals import audio_features, case, sounds

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.brought_file import is_float
from tinyproof.export.ops import OPS

ROOT = Path(__file__).parents[2]


def test_the_page_lists_the_signal_operators() -> None:
    table = (
        (ROOT / "docs/operators.md")
        .read_text("utf-8")
        .partition("| Signal operators | Samples |")[2]
        .partition("\n\n")[0]
    )
    told = re.findall(r"^\| (Signal\w+(?:, Signal\w+)*) \|", table, re.MULTILINE)
    names = [name for row in told for name in row.split(", ")]
    assert sorted(names) == sorted(name.removeprefix("CUSTOM ") for name in OPS if name.startswith("CUSTOM Signal"))


def test_features_of_a_sound_are_bit_exact_from_its_samples_on() -> None:
    """Window, scale, spectrum, energies, channels, noise, gain, logarithm: 60 frames with what is kept between them."""
    frames = [frame for number in range(4) for frame in sounds(160, number, 10)]
    assert_bit_exact([case("features", audio_features(), frames)])


def test_a_model_of_sounds_is_taken_as_it_is() -> None:
    """It has no scales, and yet nothing to quantize."""
    assert not is_float(read_graph(audio_features()))
