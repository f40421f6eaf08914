# SPDX-License-Identifier: Apache-2.0
"""Flash as a treemap: weights, the model's other tables and code, protocol: each a tile as large as its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from tinyproof.report.build_data import ReportData
from tinyproof.report.network import Network
from tinyproof.report.size_charts import LAYERS

WIDTH, HEIGHT = 460, 300
LABEL_WIDTH, LABEL_HEIGHT = 96, 40  # a tile of less has no room for words; the list beside it has them all
NAMES = {"hal": "board", "app": "application", "core": "start-up, C library"}
TABLES = "model's code and tables"


@dataclass(frozen=True)
class Tile:
    """`share` of the whole."""

    name: str
    role: str
    amount: int
    share: float


@dataclass(frozen=True)
class FlashMap:
    """The firmware of one board, the largest part first."""

    board: str
    total: int
    tiles: list[Tile]


def flash_map(data: ReportData, network: Network | None) -> FlashMap | None:
    """Of the first board with a firmware whose sizes are known; its model layer is split into weights and the rest
    where the build's weights are known to be stored whole. Colours are those of the layers' bars."""
    build = next((board.build for board in data.boards if board.build is not None and board.build.layers), None)
    if build is None or data.lesson is not None:
        return None
    parts = {name: size.flash_bytes for name, size in build.layers.items()}
    model = parts.pop("model", 0)
    removed = data.manifest.memory.removed if data.manifest.memory else None
    stored = sum(row.weight_bytes for row in network.rows) if network and removed is None else 0
    split = {"weights": stored, TABLES: model - stored} if 0 < stored <= model else {TABLES: model}
    named = {name: (LAYERS["model"], amount) for name, amount in split.items()}
    named |= {NAMES.get(layer, layer): (LAYERS.get(layer, "faint"), amount) for layer, amount in parts.items()}
    total = sum(amount for _, amount in named.values())
    ordered = sorted(named.items(), key=lambda item: -item[1][1])
    tiles = [Tile(name, role, amount, amount / total) for name, (role, amount) in ordered if amount > 0]
    return FlashMap(build.board, total, tiles) if tiles else None


def squarified(amounts: list[float], width: float, height: float) -> list[tuple[float, float, float, float]]:
    """(left, top, width, height) of each of `amounts`, which fall, so that no tile is needlessly long and thin:
    Bruls, Huizing and van Wijk, Squarified Treemaps, 2000."""
    scale = width * height / sum(amounts)
    areas = [amount * scale for amount in amounts]
    boxes: list[tuple[float, float, float, float]] = []
    left = top = 0.0
    while areas:
        short = min(width, height)
        row = [areas[0]]
        while len(row) < len(areas) and _thinnest([*row, areas[len(row)]], short) <= _thinnest(row, short):
            row.append(areas[len(row)])
        depth, along = sum(row) / short, 0.0
        for area in row:
            length = area / depth
            wide = width >= height
            boxes.append((left, top + along, depth, length) if wide else (left + along, top, length, depth))
            along += length
        if width >= height:
            left, width = left + depth, width - depth
        else:
            top, height = top + depth, height - depth
        areas = areas[len(row) :]
    return boxes


def _thinnest(row: list[float], short: float) -> float:
    """The worst ratio of long to short side, were `row` laid along a side of length `short`."""
    total = sum(row)
    return max(max(short**2 * area / total**2, total**2 / (short**2 * area)) for area in row)


def draw_treemap(flash: FlashMap) -> str:
    """One <svg>; tiles are told apart by their edges and words, not by colour alone."""
    said = ", ".join(f"{tile.name} {tile.amount:,}" for tile in flash.tiles)
    body = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-labelledby="flash-map-alt" id="svg-flash-map">'
        f'<title id="flash-map-alt">{flash.total:,} bytes of flash on {escape(flash.board)}: {escape(said)}.</title>'
    ]
    boxes = squarified([float(tile.amount) for tile in flash.tiles], WIDTH, HEIGHT)
    for tile, (left, top, width, height) in zip(flash.tiles, boxes, strict=True):
        words = f"{tile.name}: {tile.amount:,} B, {100 * tile.share:.3g} %"
        body.append(
            f'<g><title>{escape(words)}</title><rect class="box {tile.role}" x="{left + 1:.1f}" y="{top + 1:.1f}" '
            f'width="{max(0.5, width - 2):.1f}" height="{max(0.5, height - 2):.1f}"/>'
        )
        if width >= max(LABEL_WIDTH, 9 * len(tile.name)) and height >= LABEL_HEIGHT:
            body.append(
                f'<text class="label" x="{left + 8:.1f}" y="{top + 20:.1f}">{escape(tile.name)}</text>'
                f'<text class="label" x="{left + 8:.1f}" y="{top + 37:.1f}">{tile.amount:,} B</text>'
            )
        body.append("</g>")
    return "\n".join([*body, "</svg>"])
