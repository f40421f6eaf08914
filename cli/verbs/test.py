# SPDX-License-Identifier: Apache-2.0
"""`tinyproof test`: lint, types and every test, exactly as CI runs them."""

from __future__ import annotations

import subprocess
import sys

import click

from tinyproof.cli.package_links import link_package
from tinyproof.core.errors import MismatchError
from tinyproof.core.paths import BUILD, ROOT

LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("tinyproof.cli.c_linters",),
)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(pytest_arguments: tuple[str, ...]) -> None:
    """Run linters, the type checker and all tests.

    Arguments go to pytest, and then the linters are left out: ./tinyproof test -k protocol
    """
    if not pytest_arguments:
        link_package(ROOT, BUILD / "links" / "tinyproof")
        for linter in LINTERS:
            click.echo(f"$ {' '.join(linter)}")
            _run("-m", *linter)
        pytest_arguments = ("-n", "2", "--dist", "loadfile")
    _run("-m", "pytest", *pytest_arguments)


def _run(*arguments: str) -> None:
    finished = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False)
    if finished.returncode:
        raise MismatchError(f"{arguments[1]} failed (exit {finished.returncode}); see above")
