# SPDX-License-Identifier: Apache-2.0
"""The report stage: reads a build's artefacts, writes report.html and figures/*.png. No TensorFlow, no network."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinyproof.core.files import write_at_once
from tinyproof.report.build_data import read_report_data
from tinyproof.report.chart import Stack
from tinyproof.report.page import Content, render
from tinyproof.report.png import write_png, write_stack_png

REPORT_FILE = "report.html"
FIGURES_FOLDER = "figures"


def write_report(build_dir: Path) -> Path:
    """Writes build_dir/report.html and build_dir/figures/*.png, the same bytes for the same artefacts.

    A stage that has not run yet is named in the page as missing. Raises UsageError when there is no build at all, or
    when a file of it is damaged.
    """
    content = Content.of(build_dir, read_report_data(build_dir))
    write_figures(content, build_dir / FIGURES_FOLDER)
    return write_page(content, build_dir / REPORT_FILE)


def write_figures(content: Content, folder: Path) -> None:
    """Every figure as folder/<name>.png; figures of an earlier model do not stay behind."""
    if folder.is_symlink():  # what it leads to is somebody else's
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for figure in content.figures():
        if isinstance(figure, Stack):
            write_stack_png(figure, folder)
        else:
            write_png(figure, folder)


def write_page(content: Content, path: Path) -> Path:
    """Renders the page to `path`, and returns that."""
    write_at_once(path, render(content))
    return path
