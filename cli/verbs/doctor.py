# SPDX-License-Identifier: Apache-2.0
"""`tinyproof doctor`: every fault between this machine and a board, with its remedy."""

from __future__ import annotations

import dataclasses

import click

from tinyproof.cli import console
from tinyproof.core.config import load_config
from tinyproof.core.errors import EXIT_ENVIRONMENT
from tinyproof.core.paths import CONFIG_FILE


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the lines.")
@click.option("--install", "installs", is_flag=True, help="Install what is missing: on Debian and Ubuntu, with sudo.")
@click.pass_context
def command(context: click.Context, as_json: bool, installs: bool) -> None:
    """Check compilers, emulators, drivers, permissions, ModemManager, ports in use and bootloaders.

    Changes nothing but with --install, which adds the system packages of all simulated boards: compilers and emulators.
    Real boards need none, nor do inspect and export. Exits 3 if something blocks a board, 0 otherwise.
    """
    from tinyproof.host.diagnosis import examine, missing_packages

    if installs and (packages := missing_packages()):
        from tinyproof.host.system_install import install

        install(packages, lambda words: click.echo(f"$ {words}", err=True))
    faults = examine(load_config(CONFIG_FILE).board)
    blocked = any(fault.blocks for fault in faults)
    if as_json:
        console.print_json({"blocked": blocked, "faults": [dataclasses.asdict(fault) for fault in faults]})
    else:
        for fault in faults:
            click.echo(f"{'FAULT' if fault.blocks else 'note':<9}{fault.what}\n{'':<9}remedy: {fault.remedy}")
        click.echo("something blocks" if blocked else "nothing blocks")
    if blocked:
        context.exit(EXIT_ENVIRONMENT)
