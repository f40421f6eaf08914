# SPDX-License-Identifier: Apache-2.0
"""What the Tab key offers beyond verbs and options: boards, and the builds and files that --model takes.

The shell asks at each Tab, so that nothing is loaded for it: names come from the names of files.
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from tinyproof.core import paths


class _BoardName(click.types.StringParamType):
    """From the names of the boards' files, and what `run` takes for all of them."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        names = sorted(path.stem for path in (paths.FIRMWARE / "boards").glob("*.toml"))
        every = ["all"] if ctx.info_name == "run" else []
        return [CompletionItem(name) for name in (*every, *names) if name.startswith(incomplete)]


class _ModelName(click.types.StringParamType):
    """Builds that are there; where none begins so, files, which the shell lists itself: bash forgets what comes before
    that word, and takes files where nothing comes behind it."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        builds = sorted(path.parent.name for path in paths.BUILD.glob("*/manifest.json"))
        return [
            CompletionItem(incomplete, type="file"),
            *(CompletionItem(name) for name in builds if name.startswith(incomplete)),
        ]


TYPES = {"board": _BoardName(), "model": _ModelName(), "extra": _ModelName()}


def complete_values(command: click.Command) -> None:
    """Lets the options of a verb complete what they mean."""
    for parameter in command.params:
        if isinstance(parameter.type, click.types.StringParamType) and parameter.name in TYPES:
            parameter.type = TYPES[parameter.name]
