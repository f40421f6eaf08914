# SPDX-License-Identifier: Apache-2.0
"""The pictures in docs/gallery/: small, shown, and what the tool makes now."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyproof.cli.gallery import FOLDER, MOST_BYTES
from tinyproof.core.paths import ROOT

# Of 255: two takes of the same pages differ by less than 0.2, an empty page or one moved by a line by 9 or more.
MOST_DIFFERENCE = 3.0


def test_each_picture_is_small_and_shown_with_words() -> None:
    text = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"!\[([^\]]{20,})\]\(gallery/([\w-]+\.png)\)", text))
    pictures = sorted(FOLDER.glob("*.png"))
    assert len(pictures) == 4
    assert sorted(shown.values()) == [path.name for path in pictures]
    for path in pictures:
        assert path.stat().st_size <= MOST_BYTES
        with Image.open(path) as picture:
            assert picture.width == 1280


@pytest.mark.nightly
def test_the_pictures_are_what_the_tool_makes(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-P", "-m", "tinyproof.cli.gallery", "--folder", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    for path in sorted(FOLDER.glob("*.png")):
        with Image.open(path) as kept, Image.open(tmp_path / path.name) as new:
            assert new.size == kept.size
            pixels = [np.asarray(picture.convert("L"), np.float64) for picture in (kept, new)]
        difference = float(np.abs(pixels[0] - pixels[1]).mean())
        assert difference <= MOST_DIFFERENCE, f"{path.name}: run python -P -m tinyproof.cli.gallery"
