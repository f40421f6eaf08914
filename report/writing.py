# SPDX-License-Identifier: Apache-2.0
"""The report stage: reads a build's artefacts, writes report.html and figures/*.png. No TensorFlow, no network."""

from __future__ import annotations

import shutil
from pathlib import Path

from report.chart import Stack
from report.data import read_report_data
from report.page import Content, render
from report.png import write_png, write_stack_png

REPORT_FILE = "report.html"
FIGURES_FOLDER = "figures"


def write_report(build_dir: Path) -> Path:
    """Writes build_dir/report.html and build_dir/figures/*.png, the same bytes for the same artefacts.

    A stage that has not run yet is named in the page as missing. Raises UsageError when there is no build at all, or
    when a file of it is damaged.
    """
    content = Content.of(build_dir, read_report_data(build_dir))
    folder = build_dir / FIGURES_FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # no figure of an earlier model stays behind
    folder.mkdir(parents=True)
    for figure in content.figures():
        if isinstance(figure, Stack):
            write_stack_png(figure, folder)
        else:
            write_png(figure, folder)
    path = build_dir / REPORT_FILE
    path.write_text(render(content), encoding="utf-8")
    return path
