# SPDX-License-Identifier: Apache-2.0
"""`tinyproof test`: lint, types and every test, exactly as CI runs them."""

from __future__ import annotations

import os
import subprocess

import click

from tinyproof.cli.c_linters import tool
from tinyproof.cli.package_links import link_package
from tinyproof.core.errors import MismatchError, UsageError
from tinyproof.core.paths import BUILD, ROOT

LINKS = BUILD / "links"  # where import-linter and mypy find the package: they see no editable install
GATES = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports", "--no-cache", "--no-logo"),
    ("python", "-P", "-m", "tinyproof.cli.c_linters"),  # clang-format and clang-tidy
)


USUAL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--nightly", is_flag=True, help="Try more: longer fuzzing, more random cases, a soak. Takes hours.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(nightly: bool, pytest_arguments: tuple[str, ...]) -> None:
    """Run linters, the type checker and all tests.

    Arguments go to pytest, and then the linters are left out:

    \b
    ./tinyproof test -k protocol
    ./tinyproof test -n 2 -m "not slow"
    """
    if not (ROOT / "tests").is_dir():
        raise UsageError("the tests are not part of an installed tinyproof; run ./tinyproof test in a clone of it")
    if not pytest_arguments:
        link_package(ROOT, LINKS / "tinyproof")
        for gate in GATES:
            click.echo(f"$ {' '.join(gate)}")
            _run(gate, {**os.environ, "PYTHONPATH": str(LINKS)})
        pytest_arguments = USUAL
    _run(("pytest", *pytest_arguments, *(("--nightly",) if nightly else ())))


def _run(command: tuple[str, ...], environment: dict[str, str] | None = None) -> None:
    """Runs a tool of this Python's own environment over the checkout."""
    name, *arguments = command
    finished = subprocess.run([tool(name), *arguments], cwd=ROOT, env=environment, check=False)
    if finished.returncode:
        raise MismatchError(f"{name} failed (exit {finished.returncode}); see above")
