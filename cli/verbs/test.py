# SPDX-License-Identifier: Apache-2.0
"""`tinyproof test`: lint, types and every test, exactly as CI runs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import click

from tinyproof.cli.c_linters import tool
from tinyproof.cli.package_links import link_package
from tinyproof.core.errors import MismatchError, UsageError
from tinyproof.core.paths import BUILD, ROOT

LINKS = BUILD / "links"  # where import-linter and mypy find the package: they see no editable install
# Done in a second, and before all else.
QUICK_GATES = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports", "--no-cache", "--no-logo"),
)
# Beside the tests, which leave a core free whenever they wait for a board.
LONG_GATES = (
    ("mypy",),
    ("python", "-P", "-m", "tinyproof.cli.c_linters"),  # clang-format and clang-tidy
)
USUAL = ("-n", "3")  # on two cores: there is nearly always one that waits for a board


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
    night = ("--nightly",) if nightly else ()
    if pytest_arguments:
        _raise_for([_run(("pytest", *pytest_arguments, *night))])
        return
    link_package(ROOT, LINKS / "tinyproof")
    for gate in QUICK_GATES:
        click.echo(f"$ {' '.join(gate)}")
        _raise_for([_run(gate)])
    with ThreadPoolExecutor(1) as pool:
        long_gates = [pool.submit(_run, gate, quietly=True) for gate in LONG_GATES]
        failed = _run(("pytest", *USUAL, *night))
    _raise_for([*(gate.result() for gate in long_gates), failed])


def _run(command: tuple[str, ...], *, quietly: bool = False) -> str:
    """Runs a tool of this Python's own environment over the checkout; the words for its failure, or none.

    Quietly: what it says comes in one piece, after its name, when it has ended.
    """
    name, *arguments = command
    finished = subprocess.run(
        [tool(name), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(LINKS)} if name != "pytest" else None,
        check=False,
        text=True,
        stdout=subprocess.PIPE if quietly else None,
        stderr=subprocess.STDOUT if quietly else None,
    )
    if quietly:
        click.echo(f"\n$ {' '.join(command)}\n{finished.stdout}", nl=False)
    return f"{' '.join(command)} failed (exit {finished.returncode})" if finished.returncode else ""


def _raise_for(failures: Iterable[str]) -> None:
    """MismatchError with all failures in one line, where there are any."""
    if failed := "; ".join(filter(None, failures)):
        raise MismatchError(f"{failed}: see above")
