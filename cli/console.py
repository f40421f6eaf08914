# SPDX-License-Identifier: Apache-2.0
"""One place for what people read: results on stdout, remarks on stderr; plain text when piped or with NO_COLOR."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

from tinyproof.cli.tables import LABEL, WIDTH
from tinyproof.core.install import spelled

if TYPE_CHECKING:
    from rich.console import Console

# In the context of a verb: it has answered in the form that --json or --junit asks for.
ANSWERED = "tinyproof.json"
JUNIT = "tinyproof.junit"


def stdout() -> Console:
    """What `click.echo` is too little for: colours and tables, which come out plain where stdout is no terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


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
    """What to do next, one command a line, as they are typed where the user stands. What stands behind a `#` goes
    before a command that leaves no room for it: commands are never broken."""
    label = "next"
    for command in commands:
        line = spelled(command)
        words, _, remark = line.partition("   # ")
        for each in [line] if len(line) <= WIDTH - LABEL or not remark else [f"# {remark}", words]:
            click.echo(f"{label:<{LABEL}}{each}")
            label = ""
