# SPDX-License-Identifier: Apache-2.0
"""How far long work has come: bars on a terminal, and a line every ten seconds where there is none, such as in CI."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_EVERY_S = 10.0


class Tasks(Protocol):
    """What shows the progress of tasks."""

    def add_task(self, description: str, *, total: int | None = None, note: str = "") -> int:
        """Begins a task; returns its number. `total`: None where nobody knows yet."""

    def update(
        self, task: int, *, completed: float | None = None, total: int | None = None, note: str | None = None
    ) -> None:
        """What is None stays as it was. `note`: what the task is at."""


@contextlib.contextmanager
def progress() -> Iterator[Tasks]:
    """On stderr; bars leave nothing behind."""
    if not sys.stderr.isatty():
        yield PlainTasks()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True, expand=True) as rich:
        yield _RichTasks(rich)


class _RichTasks:
    def __init__(self, rich: Progress) -> None:
        self._rich = rich

    def add_task(self, description: str, *, total: int | None = None, note: str = "") -> int:
        return int(self._rich.add_task(description, total=total, note=note))

    def update(
        self, task: int, *, completed: float | None = None, total: int | None = None, note: str | None = None
    ) -> None:
        number = self._rich.task_ids[task]
        if note is not None:
            self._rich.update(number, note=note)
        self._rich.update(number, completed=completed, total=total)


@dataclass
class _Task:
    description: str
    started: float
    said: float
    completed: float = 0.0
    total: int | None = None
    note: str = ""


class PlainTasks:
    """A line of each task that lasts, every PLAIN_EVERY_S seconds and no sooner."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._tasks: list[_Task] = []

    def add_task(self, description: str, *, total: int | None = None, note: str = "") -> int:
        """As in Tasks."""
        now = self._now()
        self._tasks.append(_Task(description.strip(), now, now, total=total, note=note))
        return len(self._tasks) - 1

    def update(
        self, task: int, *, completed: float | None = None, total: int | None = None, note: str | None = None
    ) -> None:
        """As in Tasks."""
        one, now = self._tasks[task], self._now()
        one.completed = one.completed if completed is None else completed
        one.total = one.total if total is None else total
        one.note = one.note if note is None else note
        if now - one.said >= PLAIN_EVERY_S:
            one.said = now
            click.echo(_line(one, now - one.started), err=True)


def _line(task: _Task, elapsed_s: float) -> str:
    words = [task.note] if task.note else []
    if task.total:
        words.insert(0, f"{task.completed:,.0f} of {task.total:,}")
        if task.completed:
            words.append(f"about {in_minutes(elapsed_s * (task.total - task.completed) / task.completed)} left")
    return f"{task.description}: {', '.join([*words, f'{in_minutes(elapsed_s)} so far'])}"


def in_minutes(seconds: float) -> str:
    """A time for people."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
