# SPDX-License-Identifier: Apache-2.0
"""The command line: names every verb and loads the one that is asked for, so that none pays for another's imports."""

from __future__ import annotations

import importlib
from typing import Any

import click
from click.shell_completion import CompletionItem

from tinyproof.cli.completing import complete_values
from tinyproof.cli.verb_context import GroupContext, VerbContext
from tinyproof.core.errors import EXIT_INTERRUPTED
from tinyproof.core.version import __version__

# Verb -> its line in --help. The command itself is `command` in cli/verbs/<verb>.py.
VERBS = {
    "run": "Train, export, build and check in one go: the whole proof.",
    "train": "Train the neuron y = wX + b by gradient descent, keeping every step.",
    "export": "Quantize to int8 .tflite and generate C code, vectors and the manifest.",
    "inspect": "Show what a model is made of, and on which boards it fits.",
    "build": "Compile the firmware for a board and report its flash and RAM.",
    "flash": "Upload the firmware to a real board and confirm that it runs.",
    "check": "Ask a board every vector and prove bits and answers.",
    "faults": "Plant faults into a build, and count what a check finds.",
    "prove": "Show for all inputs what the generated C computes.",
    "simulate": "Start a simulated board and print its port, until Ctrl-C.",
    "fleet": "Share boards with others: offer them, see who holds them.",
    "watch": "Show a board's answers live on a local page with a slider.",
    "report": "Write the build as one HTML page with figures.",
    "canary": "Find out which part of a board's arithmetic is broken.",
    "boards": "List the boards, and what is plugged in.",
    "doctor": "Find what stands between this machine and a board.",
    "example": "Train gestures or a wake word, to walk through with your own model.",
    "profile": "Time every operator on a board, and find the layer that loses accuracy.",
    "compare": "Set two builds or revisions side by side, and fail on a regression.",
    "bench": "Measure sizes, instruction counts and speed.",
    "completion": "Print the script that lets a shell complete commands.",
    "test": "Run all tests of tinyproof itself.",
}


class LazyGroup(click.Group):
    """Imports a verb's module only when that verb runs or is asked for its own help."""

    context_class = GroupContext

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the verb. Ctrl-C ends with the exit code that shells expect of it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(EXIT_INTERRUPTED)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the verb's module; None for a word that is no verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"tinyproof.cli.verbs.{cmd_name}")
        command: click.Command = module.command
        command.context_class = VerbContext
        complete_values(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs by their lines in --help, likewise; then options."""
        verbs = [CompletionItem(name, help=line) for name, line in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their lines in --help, from VERBS instead of from their modules."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinyproof")
def main() -> None:
    """Train a small Keras model, put it on a microcontroller, and prove that the board answers bit for bit.

    \b
    Start here:   ./tinyproof run
    Exit codes:   0 proven, 1 mismatch, 2 usage, 3 environment or board, 4 bad input file,
                  130 stopped by Ctrl-C
    """
