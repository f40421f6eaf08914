# SPDX-License-Identifier: Apache-2.0
"""Errors that are the user's to mend: one line that says what to do, and the exit code that CI sees.

Anything that is not a `TinyproofError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import click

from tinyproof.core.install import spelled

EXIT_PROVEN = 0
EXIT_MISMATCH = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3
EXIT_INPUT = 4
EXIT_INTERRUPTED = 130  # as shells say it of a program that Ctrl-C has ended


class TinyproofError(click.ClickException):
    """Base of all errors that a user can act on. `message` names the file, line, op or port, and the remedy, with the
    command as it is called on this machine."""

    def __init__(self, message: str) -> None:
        super().__init__(spelled(message))


class MismatchError(TinyproofError):
    """The board answered, and its bits or its answers are not the model's."""

    exit_code = EXIT_MISMATCH


class OverlapError(MismatchError):
    """Tensors lie in the C of a build where they must not: its firmware overwrites what is still needed."""


class UsageError(TinyproofError):
    """The command line or the configuration asks for something that does not exist."""

    exit_code = EXIT_USAGE


class EnvironmentFaultError(TinyproofError):
    """A tool is missing, or a build fails for a reason outside the user's model."""

    exit_code = EXIT_ENVIRONMENT


class NoRoomError(EnvironmentFaultError):
    """The firmware does not fit into the board's flash or RAM."""


class BoardError(TinyproofError):
    """A board is absent, busy, silent, or runs another model."""

    exit_code = EXIT_ENVIRONMENT


class InputFileError(TinyproofError):
    """A file that the user brought (.tflite, .keras, CSV, TOML) cannot be used."""

    exit_code = EXIT_INPUT
