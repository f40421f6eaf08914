# SPDX-License-Identifier: Apache-2.0
"""`tinyproof completion`: the script that lets a shell complete verbs, options, boards and builds."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from tinyproof.core.errors import UsageError

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "tinyproof"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def command(context: click.Context, shell: str | None) -> None:
    """Print the script that completes verbs, options, boards and builds with the Tab key; by default for your shell.

    \b
    bash   echo 'eval "$(tinyproof completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(tinyproof completion zsh)"' >> ~/.zshrc
    fish   tinyproof completion fish > ~/.config/fish/completions/tinyproof.fish

    It completes a clone's ./tinyproof, too: there, run that one in place of tinyproof.
    """
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(chosen) if chosen in SHELLS else None
    if kind is None:
        raise UsageError(f"no completion for the shell {chosen!r}: name one of {', '.join(SHELLS)}")
    script = kind(context.find_root().command, {}, PROGRAM, "_TINYPROOF_COMPLETE").source()
    click.echo(script)
