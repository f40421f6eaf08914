# SPDX-License-Identifier: Apache-2.0
"""`tinyproof test` fails where a gate does, wherever that runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tinyproof.cli.main import main
from tinyproof.cli.verbs import test as verb
from tinyproof.core.errors import EXIT_MISMATCH, EXIT_PROVEN

RIGHT = ("python", "-c", "print('nothing found')")
WRONG = ("python", "-c", "print('two lines too long'); raise SystemExit(3)")


@pytest.mark.parametrize(
    ("quick", "long", "tests", "says"),
    [
        (RIGHT, RIGHT, "--version", []),
        (WRONG, RIGHT, "--version", ["raise SystemExit(3) failed (exit 3)"]),
        (RIGHT, WRONG, "--version", ["two lines too long", "raise SystemExit(3) failed (exit 3)"]),
        pytest.param(
            *(RIGHT, RIGHT, "--no-such-option", ["pytest --no-such-option failed (exit 4)"]), marks=pytest.mark.nightly
        ),
        (RIGHT, WRONG, "--no-such-option", ["failed (exit 3); ", "pytest --no-such-option failed (exit 4)"]),
    ],
)
def test_every_failure_is_told(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    quick: tuple[str, ...],
    long: tuple[str, ...],
    tests: str,
    says: list[str],
) -> None:
    monkeypatch.setattr(verb, "QUICK_GATES", (quick,))
    monkeypatch.setattr(verb, "LONG_GATES", (long,))
    monkeypatch.setattr(verb, "USUAL", (tests,))
    monkeypatch.setattr(verb, "LINKS", tmp_path / "links")
    done = CliRunner().invoke(main, ["test"])
    assert done.exit_code == (EXIT_MISMATCH if says else EXIT_PROVEN), done.output
    assert all(words in done.output for words in says)
