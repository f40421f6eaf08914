# SPDX-License-Identifier: Apache-2.0
"""`tinyproof faults`: plant faults into a build, and count what a check finds of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import hold, model_option, select_model
from tinyproof.cli.progress import progress
from tinyproof.cli.tables import LABEL, WIDTH, aligned
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import Config, load_config
from tinyproof.core.errors import MismatchError, UsageError
from tinyproof.core.paths import CONFIG_FILE, build_dir
from tinyproof.fault_planting import run_faults
from tinyproof.faults.kinds import KINDS

if TYPE_CHECKING:
    from tinyproof.faults.score import FaultScore

SHOWN = 12  # missed faults; all of them are in faults.json
_COLUMNS = {
    "kind": "kind",
    "planted": "planted",
    "by_answers": "answers",
    "by_stopping": "stopped",
    "by_digests": "digests",
    "by_image": "image",
    "equivalent": "equivalent",
    "missed": "missed",
}


@click.command()
@model_option
@click.option("--board", help="Simulated board whose kernels and image it is about. [default: qemu-cortex-m4]")
@click.option("--kinds", metavar="A,B,...", help=f"Only these kinds: {', '.join(KINDS)}.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the sample; the same plants the same.")
@click.option("--count", type=click.IntRange(min=1), default=1000, show_default=True, help="Faults to plant, about.")
@click.option(
    "--on-board", type=click.IntRange(min=0), default=60, show_default=True, help="How many of them the board has too."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(
    model: str | None, board: str | None, kinds: str | None, seed: int, count: int, on_board: int, as_json: bool
) -> None:
    """Plant faults into a build, one at a time, and count how many a default check of the simulated board finds.

    The engine is compiled once for this machine, with the board's own kernels, and its numbers are changed in memory;
    vectors and comparison are a check's: the answers to all vectors, and for some of them what every layer writes.
    A sample of the faults is planted into the image on the simulated board as well, which must say the same.

    \b
    answers   an output differs: what a check of any board sees
    stopped   it crashes or does not end
    digests   the answers are right, and what a layer writes is not, for a
              vector or alone, on contents that the board makes itself
    image     a constant is not that of the firmware that traces
    equivalent  proven to be no fault: all inputs tried, the same operations

    Whatever is left is missed, and named. Kernels are changed in the lines that the model runs.

    \b
    ./tinyproof faults --model kws --seed 7
    ./tinyproof faults --model kws --kinds weights,biases --count 200

    Writes build/<model>/faults.json, which the report shows. Needs gcc, and what ./tinyproof build has made.

    Exits 0 if nothing was missed, 1 if something was, 3 if gcc or the board's emulator is missing.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    find_board(config.board)  # a wrong name is told before the work, not after it
    chosen = _kinds(kinds)
    config = select_model(config, model)
    words = [f"./tinyproof faults --model {config.model} --seed {seed} --count {count}"]
    words += [f"--kinds {kinds}"] if kinds else []
    words += [f"--board {config.board}"] if board else []
    words += [f"--on-board {on_board}"] if on_board != 60 else []
    score = _run(config, chosen, seed, count, on_board, " ".join(words))
    if as_json:
        console.print_json(score.as_dict())
    else:
        print_score(score)
    if not score.holds:
        missed = len(score.missed)
        words_of = f"{missed:,} of {score.as_dict()['planted']:,} planted faults are missed by a check"
        if not missed:
            words_of = "the board does not do what was seen on this machine"
        raise MismatchError(f"{words_of}; build/{score.model}/faults.json names all of them")


def _kinds(text: str | None) -> list[str]:
    if text is None:
        return list(KINDS)
    wanted = [kind.strip().replace("-", " ") for kind in text.split(",")]
    for kind in wanted:
        if kind not in KINDS:
            raise UsageError(f"--kinds: {kind!r} is no kind of fault; there are {', '.join(KINDS)}")
    return wanted


def _run(config: Config, kinds: list[str], seed: int, count: int, sample: int, command: str) -> FaultScore:
    tasks_of: dict[str, int] = {}
    with hold(config.model), progress() as tasks:

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks_of:
                tasks_of[what] = tasks.add_task(f"{what:<{LABEL}}", total=total)
            tasks.update(tasks_of[what], completed=done, total=total)

        return run_faults(
            find_board(config.board),
            build_dir(config.model),
            config.check,
            kinds=kinds,
            count=count,
            seed=seed,
            sample=sample,
            command=command,
            progress=show,
        )


def print_score(score: FaultScore) -> None:
    """The table of kinds, what was missed, and the verdict."""
    document = score.as_dict()
    click.echo(f"{'faults':<{LABEL}}{score.model} ({score.model_id}) on {score.board_name}, seed {score.seed}")
    rows = [list(_COLUMNS.values())]
    rows += [[str(row[key]) for key in _COLUMNS] for row in document["rows"]]
    rows.append(["all", *(str(document[key]) for key in _COLUMNS if key != "kind")])
    for line in aligned(rows, right=range(1, len(_COLUMNS)), width=WIDTH - LABEL):
        click.echo(f"{'':<{LABEL}}{line}")
    for verdict in score.missed[:SHOWN]:
        console.say("MISSED", f"{verdict.fault}: {verdict.why}")
    if len(score.missed) > SHOWN:
        console.say("", f"and {len(score.missed) - SHOWN:,} more, in build/{score.model}/faults.json")
    if score.board is not None:
        console.say("board", f"{score.board.same} of {score.board.asked} faults in the image end there as they do here")
        for words in score.board.different[:SHOWN]:
            console.say("DIFFERS", words)
    found = f"{document['found']:,} of {document['planted'] - document['equivalent']:,} faults found"
    alone = document["by_answers"] + document["by_stopping"]
    console.say("score" if score.holds else "OPEN", f"{found}, {alone:,} by answers alone ({score.seconds:.0f} s)")
    console.print_next(f"./tinyproof report --model {score.model}   # all of it as one page")
