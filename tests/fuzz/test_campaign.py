# SPDX-License-Identifier: Apache-2.0
"""Damaged models by the thousand: each is refused in one line, or compiles cleanly and answers like the reference."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import effort
from support.campaign import Campaign
from support.mutating import mutate
from support.op_cases import DSP_KERNELS, ENGINE, headers_of, run_natively
from support.seeds import make_seeds, paired, write_seeds

from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import REWRITTEN, lower
from tinyproof.export.ops import ENDS, OPS

CAMPAIGN = Path(__file__).parent.parent / "support" / "campaign.py"
USUAL_EXAMPLES = 200  # a longer campaign is started with --fuzz-examples N
SECONDS_PER_EXAMPLE = 0.5  # on a slow machine; a hundredth of it is usual


@pytest.mark.slow
@pytest.mark.timeout(0)  # the subprocess has one of its own
def test_the_campaign_finds_nothing(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    examples = int(pytestconfig.getoption("--fuzz-examples")) or USUAL_EXAMPLES
    seconds = SECONDS_PER_EXAMPLE * examples
    command = [sys.executable, str(CAMPAIGN), "--examples", str(examples), "--seconds", str(seconds)]
    command += ["--nightly"] if effort.nightly else []
    command += ["--share", "0.2", "--keep", str(tmp_path / "keep"), *map(str, write_seeds(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 240)
    assert done.stdout, f"the campaign itself ended with {done.returncode}: {done.stderr[-2000:]}"
    result = json.loads(done.stdout)
    assert result["findings"] == []
    assert done.returncode == 0
    assert result["examples"] == examples
    # Neither may be all: a campaign that refuses everything compiles nothing, and the other way round.
    assert result["refused"] > result["examples"] / 10
    assert result["compiled_and_run"] >= 5
    assert result["with_dsp_kernels"] >= 2


def test_the_seeds_take_all_kernels_for_the_dsp_extension() -> None:
    programs = [lower(read_graph(tflite)) for tflite in make_seeds().values()]
    taken = {header for program in programs for op in program.ops if op.kernel for header in headers_of(op.kernel)}
    plain = {path.stem for path in (ENGINE / "kernels").iterdir()}
    on_demand = {"dense_quads_s8"}  # chosen where RAM is short alone, see tests/ops/test_dense_quads.py
    assert {path.stem for path in (DSP_KERNELS / "kernels").iterdir()} & plain <= taken | on_demand


def test_the_seeds_hold_every_operator() -> None:
    graphs = [read_graph(tflite) for tflite in make_seeds().values()]
    assert {operator.name for graph in graphs for operator in graph.operators} >= {*OPS, *ENDS, *REWRITTEN}
    for graph in graphs:
        lower(graph)


def test_the_same_seed_gives_the_same_mutant() -> None:
    content = paired()
    assert mutate(content, 4) == mutate(content, 4)
    assert len({mutate(content, seed) for seed in range(50)}) > 40


def test_the_campaign_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of the reader, a refusal of two lines, and generated C that computes something else are findings."""
    found = Campaign(0.0, None)
    monkeypatch.setattr("support.campaign.read_graph", lambda content: 1 / 0)
    found.try_one("m", 1, b"", 1.0)
    monkeypatch.undo()
    assert "ZeroDivisionError" in found.findings[0]["what"]
    found._judge_refusal("m", 2, b"", "model.tflite: one\ntwo")
    assert "one plain line" in found.findings[1]["what"]
    monkeypatch.setattr("support.campaign.run_natively", lambda cases, dsp: [[b"\0" * 8] * 3 for _ in cases])
    found.try_one("m", 3, paired(), 1.0)
    found.compile_batch()
    assert "bits differ" in found.findings[2]["what"]
    monkeypatch.undo()
    natively = run_natively
    monkeypatch.setattr(
        "support.campaign.run_natively", lambda cases, dsp: [[b"\0" * 8] * 3] if dsp else natively(cases)
    )
    found.try_one("m", 4, paired(), 1.0)
    found.compile_batch()
    assert "bits differ" in found.findings[3]["what"]
