# SPDX-License-Identifier: Apache-2.0
"""One finished build for all tests that only read, and a copy for those that change it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.report_build import make_brought_build, make_report_build

from tinyproof.report.comparison import Words, write_comparison
from tinyproof.report.writing import write_report


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with its report; only to be read."""
    build_dir = make_report_build(tmp_path_factory.mktemp("build") / "neuron")
    write_report(build_dir)
    return build_dir


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A brought classifier with its report; only to be read."""
    build_dir = make_brought_build(tmp_path_factory.mktemp("brought") / "classifier")
    write_report(build_dir)
    return build_dir


@pytest.fixture(scope="session")
def compared(brought: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page that sets `brought` beside itself with a first layer of twice the cost."""
    folder = tmp_path_factory.mktemp("compared")
    slower = Path(shutil.copytree(brought, folder / "a_build_of_a_rather_long_name_that_somebody_gave"))
    profile = slower / "boards" / "reference" / "profile.json"
    document = json.loads(profile.read_text(encoding="utf-8"))
    document["operators"][0]["ticks"] *= 2
    profile.write_text(json.dumps(document), encoding="utf-8")
    figures = [("flash B", "1,908", "1,950", "+2.2%", "+1%", "WORSE"), ("RAM B", "232", "232", "+0.0%", "+1%", "")]
    words = Words(figures, ["flash B"], "256 of 256 inputs of the new one bit-identical on reference")
    write_comparison(folder / "report.html", ("main", slower.name), (brought, slower), "reference", words)
    return folder


@pytest.fixture
def build_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "neuron"))
