# SPDX-License-Identifier: Apache-2.0
"""The options of `tinyproof export` that make a library for somebody's own firmware."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold
from tinyproof.cli.tables import stage_line
from tinyproof.core import paths
from tinyproof.core.config import Config
from tinyproof.core.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

KINDS_HELP = (
    "c, cmake, arduino, platformio, esp-idf, zephyr (untested), cmsis-pack"  # export/libraries/kinds.py; a test
)


@dataclass(frozen=True)
class LibraryOptions:
    """None where an option is left out."""

    kind: str | None
    folder: Path | None
    labels: str | None
    selftest_bytes: int | None
    arena_bytes: int | None

    def check(self) -> None:
        """Before anything is made. Raises UsageError for an option without those that it needs."""
        if self.kind is None:
            others = {
                "--to": self.folder,
                "--labels": self.labels,
                "--selftest-bytes": self.selftest_bytes,
                "--arena-bytes": self.arena_bytes,
            }
            for option, value in others.items():
                if value is not None:
                    raise UsageError(f"{option} is of a library: say which kind with --as ({KINDS_HELP})")
        elif self.folder is None:
            raise UsageError("--as makes a folder: name it with --to FOLDER")

    def write(self, config: Config, name: str | None, *, as_json: bool) -> None:
        """The model of build/<config.model> as a library, called `name`, and what is to be said of it."""
        from tinyproof.export.libraries.library import Wish, export_library

        assert self.kind is not None  # `check` has seen to both
        assert self.folder is not None
        labels = tuple(label.strip() for label in self.labels.split(",")) if self.labels else ()
        wish = Wish(self.kind, name, labels, self.selftest_bytes, self.arena_bytes)
        with hold(config.model, shared=True):
            made = export_library(paths.build_dir(config.model), self.folder, wish)
        if as_json:
            document = {**made.__dict__, "kind": made.kind.name, "folder": str(made.folder), "parsed": made.kind.parsed}
            console.print_json(document)
            return
        click.echo(stage_line("library", made.name, f"{made.kind.label}: {made.folder}    id {made.model_id}"))
        flash = f"{made.table_bytes:,} B of tables and about {made.code_bytes:,} B of code in flash"
        console.say("", f"arena {made.arena_bytes:,} B, {flash}")
        if made.vectors:
            console.say("", f"{made.name}_selftest() runs {made.vectors} vectors, {made.vector_bytes:,} B of flash")
        untested = "" if made.kind.parsed else "UNTESTED: "
        console.say("", f"{untested}not run here: {made.kind.not_run}; how to call it: README.md there")


def library_options(function: F) -> F:
    """Decorates a verb with them; it gets them as `library`."""

    @functools.wraps(function)
    def gathered(
        *args: Any,
        as_kind: str | None,
        to: Path | None,
        labels: str | None,
        selftest_bytes: int | None,
        arena_bytes: int | None,
        **others: Any,
    ) -> Any:
        options = LibraryOptions(as_kind, to, labels, selftest_bytes, arena_bytes)
        return function(*args, library=options, **others)

    for option in reversed(
        (
            click.option("--as", "as_kind", metavar="KIND", help=f"Make a library: {KINDS_HELP}."),
            click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Where the library goes."),
            click.option("--labels", metavar="A,B,...", help="Names of the classes, for the library."),
            click.option("--selftest-bytes", type=int, help="Flash for the library's self-test. [default: 4096]"),
            click.option("--arena-bytes", type=int, help="RAM for the library's arena: refused where it needs more."),
        )
    ):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]
