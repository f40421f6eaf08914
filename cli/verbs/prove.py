# SPDX-License-Identifier: Apache-2.0
"""`tinyproof prove`: what can be shown of a model's C for all inputs, and what not."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from tinyproof.cli import console
from tinyproof.cli.model_option import MODEL_HELP, hold, select_model
from tinyproof.cli.tables import LABEL, aligned
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import load_config
from tinyproof.core.errors import MismatchError
from tinyproof.core.paths import CONFIG_FILE, build_dir
from tinyproof.proving import STATEMENTS, run_prove


@click.command()
@click.option("--model", "models", metavar="NAME|FILE", multiple=True, help=f"{MODEL_HELP} More than once for several.")
@click.option("--board", help="Board that has to run the kernels that are judged. [default: qemu-cortex-m4]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def command(models: tuple[str, ...], board: str | None, as_json: bool) -> None:
    """Show for all inputs that the generated C answers as TFLite Micro, or say what is not shown.

    Judges build/<model>/model_compiled.c as it lies there, with the portable kernels, operator by operator:

    \b
    memory   no access out of bounds, nothing undefined
    linear   the kernel's sums are those of the model's weights
    rescale  every sum that can be becomes the right byte, tried one by one
    rest     tables, pairs of bytes, averages and softmax, exhausted

    Boards that take other kernels for it, such as those for DSP extensions, are named as not proven: check them. Of
    those that --board runs memory is judged, too, with their assembly translated to C. Needs Frama-C (sudo apt-get
    install frama-c-base), gcc and g++. The result is also in build/<model>/prove.json.

    Exits 0 if everything holds and the board runs these kernels, 1 where something is refuted or not proven.
    """
    config = load_config(CONFIG_FILE)
    config = dataclasses.replace(config, board=board or config.board)
    find_board(config.board)  # a wrong name is told before the work, not after it
    documents = []
    for model in models or (None,):
        chosen = select_model(config, model)
        with hold(chosen.model):
            documents.append(run_prove(build_dir(chosen.model), chosen.board))
        if not as_json:
            print_proof(documents[-1])
    if as_json:
        console.print_json({"models": documents})
    open_ones = [document["model"] for document in documents if not document["all_inputs"]]
    if open_ones:
        raise MismatchError(f"not proven for all inputs: {', '.join(open_ones)}; the lines above say what is missing")


def print_proof(document: dict[str, Any]) -> None:
    """A line for each operator, then what is open, and the verdict."""
    click.echo(f"{'prove':<{LABEL}}{document['model']} ({document['model_id']}), {document['kernels']}")
    rows = [["", "operator", "memory", "linear", "rescale", "rest"]]
    for operator in document["operators"]:
        rows.append([str(operator["index"]), operator["name"], *(operator[part]["status"] for part in STATEMENTS)])
    click.echo("\n".join(aligned(rows, right=(0,))))
    for operator in document["operators"]:
        for part in STATEMENTS:
            if operator[part]["status"] not in ("proven", "-"):
                label = "WRONG" if operator[part]["status"] == "refuted" else "open"
                console.say(label, f"operator {operator['index']} ({operator['name']}): {operator[part]['why']}")
    asked = sum(operator["alarms"] is not None for operator in document["operators"])
    console.say("Eva", f"{document['alarms']} alarms in the {asked} operators that it was asked of")
    console.say("boards", ", ".join(document["boards"]) or "none runs the portable kernels alone")
    for words in document["not_proven"]:
        console.say("not for", words)
    if document["own_memory_safe"] is not None:
        console.say("own", own_memory_words(document))
    for words in document["trusted"]:
        console.say("trusted", words)
    held = "every output is TFLite Micro's for all inputs"
    if document["all_inputs"]:
        label, words = "proof", held
    elif document["portable_proven"]:
        label, words = "OPEN", f"{held} with the portable kernels; {document['board']} runs others: not proven"
    else:
        label, words = "OPEN", "not proven for all inputs"
    console.say(label, f"{words} ({document['seconds']:.1f} s)")


def own_memory_words(document: dict[str, Any]) -> str:
    """Of the kernels that the board runs instead."""
    board = document["board"]
    open_ones = [one for one in document["own_memory"] if one["status"] != "proven"]
    if not open_ones:
        return f"the kernels that {board} runs are memory safe for all inputs"
    first = open_ones[0]
    words = f"operator {first['index']} ({first['name']}): {first['why']}"
    return f"of the kernels that {board} runs it is not shown that they are memory safe: {words}"
