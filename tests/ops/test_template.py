# SPDX-License-Identifier: Apache-2.0
"""The template in docs/templates is an operator that works: copied to its places, its rows pass."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from support import op_cases
from support.op_table import assert_refused, draw_programs

from tinyproof.core.paths import ROOT
from tinyproof.core.reference.kernels import KERNELS
from tinyproof.export.ops import OPS

TEMPLATES = ROOT / "docs" / "templates"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"template_{name}", TEMPLATES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_template_is_an_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shutil.copytree(op_cases.ENGINE, tmp_path / "engine")
    shutil.copy(TEMPLATES / "minimum_s8.h", engine / "kernels")
    monkeypatch.setattr(op_cases, "ENGINE", engine)
    monkeypatch.setitem(OPS, "MINIMUM", load("minimum").Minimum)
    monkeypatch.setitem(KERNELS, "MINIMUM", KERNELS["RELU"])  # so that what the module registers is taken back
    load("minimum_reference")
    rows = load("minimum_rows")
    for row in rows.ROWS:
        for cases in draw_programs(row):
            row.prove(cases)
    for refusal in rows.REFUSALS:
        assert_refused(refusal.operator, refusal.tflite, refusal.says)
