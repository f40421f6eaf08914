# SPDX-License-Identifier: Apache-2.0
"""One place for what people read: results on stdout, progress on stderr; plain text when piped or with NO_COLOR."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from tinyproof.cli.tables import LABEL, WIDTH
from tinyproof.core.install import spelled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

# In the context of a verb: it has answered in the form that --json or --junit asks for.
ANSWERED = "tinyproof.json"
JUNIT = "tinyproof.junit"


def stdout() -> Console:
    """What `click.echo` is too little for: colours and tables, which come out plain where stdout is no terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def stderr() -> Console:
    """The same for remarks and progress, which no pipe should receive."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def progress() -> Progress:
    """A progress bar on stderr that leaves nothing behind, and shows nothing where stderr is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=stderr(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def say(label: str, words: str, style: str = "") -> None:
    """`words` behind their label, wrapped at 80 columns."""
    lines = textwrap.wrap(spelled(words), WIDTH - LABEL, break_on_hyphens=False)
    out = stdout()
    out.print(f"{label:<{LABEL}}", end="", style=style, markup=False)
    out.print(f"\n{'':<{LABEL}}".join(lines), markup=False)


def remark(words: str) -> None:
    """A sentence beside the result, on stderr, as it is: brackets in it are no markup."""
    click.echo(spelled(words), err=True)


def print_json(document: Any) -> None:
    """A machine-readable answer: one JSON document on stdout and nothing else."""
    note(ANSWERED)
    print(json.dumps(document, indent=1))


def note(answer: str) -> None:
    """The verb that runs has answered in this form (ANSWERED or JUNIT)."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[answer] = True


def print_next(*commands: str) -> None:
    """What to do next, one command a line, as they are typed where the user stands."""
    label = "next"
    for command in commands:
        click.echo(f"{label:<{LABEL}}{spelled(command)}")
        label = ""
