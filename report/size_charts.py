# SPDX-License-Identifier: Apache-2.0
"""Flash and RAM by layer of the firmware, speed, and the published figures of TFLite Micro beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tinyproof.core.board_spec import all_boards
from tinyproof.core.build_record import Size
from tinyproof.report.build_data import BoardResult, ReportData
from tinyproof.report.chart import Stack

PEERS = Path(__file__).parent / "peers.toml"
LAYERS = {
    "engine": "model",
    "model": "target",
    "protocol": "warm",
    "hal": "extra",
    "app": "error",
    "core": "faint",
}
_UNITS = {"insn": "instructions", "cycle": "cycles", "us": "µs"}


def unit_of(tick_unit: str) -> str:
    """What a table calls the unit that a board counts in."""
    return _UNITS.get(tick_unit, tick_unit)


def size_stacks(boards: list[BoardResult]) -> list[Stack]:
    """Flash and RAM of each built board, by layer."""
    built = {board.name: board.build.layers for board in boards if board.build is not None and board.build.layers}
    if not built:
        return []
    return [
        _stack("flash", "Flash by layer of the firmware", lambda size: size.flash_bytes, built),
        _stack("ram", "RAM by layer of the firmware", lambda size: size.ram_bytes, built),
    ]


def _stack(name: str, title: str, amount_of: Callable[[Size], int], boards: dict[str, dict[str, Size]]) -> Stack:
    """`boards`: size by board and layer."""
    nothing = Size(0, 0)
    rows = [
        (board, {layer: amount_of(layers.get(layer, nothing)) for layer in LAYERS}) for board, layers in boards.items()
    ]
    said = "; ".join(
        f"{board}: " + ", ".join(f"{layer} {amount:,}" for layer, amount in parts.items() if amount)
        for board, parts in rows
    )
    return Stack(
        name,
        title,
        f"{title}, in bytes. {said}.",
        "The engine and the model's tables are what a model costs; protocol and HAL are what it takes to talk to it, "
        f"and core is the start-up code, the C library{' and the stack' if name == 'ram' else ''}.",
        "bytes",
        rows,
        LAYERS,
    )


def speed_rows(boards: list[BoardResult]) -> list[dict[str, Any]]:
    """One row per checked board: time of an inference in the board's own unit, and in milliseconds where it is known:
    `ms`, and how in `ms_by`."""
    rows = []
    for board in boards:
        if board.check.get("bits_checked"):
            milliseconds, known_by = _milliseconds(board)
            rows.append(
                {
                    "ms": milliseconds,
                    "ms_by": known_by,
                    "board": board.name,
                    "engine": board.check["engine"],
                    "low": board.check["ticks_min"],
                    "high": board.check["ticks_max"],
                    "unit": unit_of(board.check["tick_unit"]),
                    "startup": board.check.get("startup_ticks") or None,
                    "trips": board.check.get("round_trips_per_second"),
                }
            )
    return rows


def _milliseconds(board: BoardResult) -> tuple[float | None, str]:
    """(of an inference at most, who says so). None for this computer, and for a simulator that knows no cycles."""
    spec = all_boards().get(board.name)
    if spec is None or spec.kind == "host":
        return None, ""
    ticks, unit, cycles = board.check["ticks_max"], board.check["tick_unit"], board.profile.get("cycles")
    if unit == "us" and spec.kind == "serial":
        return ticks / 1e3, "measured"
    clock = f"at {spec.clock_hz / 1e6:g} MHz"
    if unit == "cycle" and spec.clock_hz:
        return 1e3 * ticks / spec.clock_hz, f"cycles {clock}"
    if cycles and spec.clock_hz:
        return 1e3 * cycles / spec.clock_hz, f"{cycles:,} cycles by the core's manual, {clock}"
    return None, ""


def operator_tables(boards: list[BoardResult]) -> list[dict[str, Any]]:
    """For each board that was profiled: what every operator costs, and how much noise int8 adds there."""
    return [
        {
            "board": board.name,
            "unit": unit_of(board.profile["tick_unit"]),
            "ticks": board.profile["ticks"],
            "operators": board.profile["operators"],
        }
        for board in boards
        if board.profile.get("operators")
    ]


def peer_table(data: ReportData) -> dict[str, Any] | None:
    """This build beside TFLM's figures for a model of as many multiply-accumulates, or None where there are none."""
    peers = tomllib.loads(PEERS.read_text(encoding="utf-8"))
    memory = data.manifest.memory
    macs = None if memory is None else memory.removed.macs_before if memory.removed is not None else memory.macs
    model = next((entry for entry in peers["models"] if entry["macs"] == macs), None)
    if model is None:
        return None
    board = next((board for board in data.boards if board.name == peers["board"]), None)
    ours: dict[str, Any] = {"name": "tinyproof, this build"}
    if board and board.build is not None:
        ours["flash_bytes"] = board.build.engine_flash_bytes
        ours["ram"] = f"{board.build.engine_ram_bytes:,}, no arena to guess"
    if board and board.check.get("tick_unit") == "insn":
        ours["instructions"] = board.check["ticks_max"]
        ours["startup_instructions"] = board.check.get("startup_ticks") or None
    rows = ([{**ours, "ours": True}] if len(ours) > 1 else []) + model["engines"]
    columns = [
        key
        for key in ("flash_bytes", "instructions", "startup_instructions", "ram")
        if any(row.get(key) is not None for row in rows)
    ]
    return {"model": model["name"], "rows": rows, "columns": columns, **{k: peers[k] for k in ("source", "conditions")}}
