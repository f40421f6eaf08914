# SPDX-License-Identifier: Apache-2.0
"""What all verbs share around their own work: how --help spells the command, and that --json answers a refusal, too."""

from __future__ import annotations

import contextlib
import errno
from typing import Any

import click

from tinyproof.cli import console
from tinyproof.core.errors import EnvironmentFaultError, TinyproofError
from tinyproof.core.install import spelled
from tinyproof.core.paths import CONFIG_FILE

# What a disk that is full, read-only, or not what it was answers: the user's to mend, not a bug.
UNWRITABLE = {
    *(errno.ENOSPC, errno.EROFS, errno.EEXIST, errno.EFBIG, errno.EACCES, errno.EPERM),
    *(errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EIO),
    *(getattr(errno, "EDQUOT", errno.ENOSPC), errno.EMFILE),
}


class SpelledFormatter(click.HelpFormatter):
    """Help with the command as it is typed where the user stands."""

    def getvalue(self) -> str:
        """The page."""
        return spelled(super().getvalue())


class GroupContext(click.Context):
    """Of the command line as a whole."""

    formatter_class = SpelledFormatter


class VerbContext(GroupContext):
    """Of one verb. Where it refuses or fails before it has answered, --json and --junit say so."""

    def invoke(self, callback: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Runs the verb."""
        try:
            return super().invoke(callback, *args, **kwargs)
        except OSError as fault:
            if fault.errno not in UNWRITABLE:
                raise
            where = f"{fault.filename}: " if fault.filename else ""
            error = EnvironmentFaultError(f"{where}{fault.strerror}; make room, or let it be written, and run it again")
            self._answer(error)
            raise error from fault
        except TinyproofError as error:
            self._answer(error)
            raise

    def _answer(self, error: TinyproofError) -> None:
        """In the forms that were asked for, as far as the disk takes them."""
        with contextlib.suppress(OSError):
            if self.params.get("as_json") and console.ANSWERED not in self.meta:
                console.print_json({"proven": False, "error": error.message, "exit_code": error.exit_code})
            if (junit := self.params.get("junit")) and console.JUNIT not in self.meta:
                from tinyproof.host.junit import write_junit_error

                write_junit_error(*self._asked(), error.message, junit)

    def _asked(self) -> tuple[str, str]:
        """What the verb was to be about: model and board, as far as options and settings say it."""
        from tinyproof.core.config import Config, load_config

        config = Config()
        with contextlib.suppress(TinyproofError):  # the settings themselves may be what is wrong
            config = load_config(CONFIG_FILE)
        return self.params.get("model") or config.model, self.params.get("board") or config.board
