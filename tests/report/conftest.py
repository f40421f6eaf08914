# SPDX-License-Identifier: Apache-2.0
"""One finished build for all tests that only read, and a copy for those that change it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.report_build import make_brought_build, make_report_build

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


@pytest.fixture
def build_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "neuron"))
