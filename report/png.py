# SPDX-License-Identifier: Apache-2.0
"""Figures as PNG files, for slides and documents: drawn by matplotlib without a display, the same bytes each time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.report.chart import COLOURS, Band, Bars, Boxes, Figure, Line, Mark, Segments, Stack

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

DPI = 160
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "cross": "x"}
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 9,
    "axes.edgecolor": "#c9ced6",
    "axes.labelcolor": COLOURS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "xtick.color": "#59616b",
    "ytick.color": "#59616b",
    "grid.color": "#e8ebef",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "text.parse_math": False,  # a dollar sign is a dollar sign
}


def write_png(figure: Figure, folder: Path) -> Path:
    """Writes folder/<name>.png, about 1000 x 720 pixels."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(6.2, 4.5), dpi=DPI)
        FigureCanvasAgg(canvas)
        axes = canvas.subplots()
        axes.set_axisbelow(True)
        axes.grid(visible=True, axis="y" if figure.x.names else "both")
        for axis, setter in ((figure.x, axes.set_xscale), (figure.y, axes.set_yscale)):
            if axis.log:
                setter("log")
        axes.set_xlim(figure.x.low, figure.x.high)
        axes.set_ylim(figure.y.low, figure.y.high)
        for axis, place in ((figure.x, axes.xaxis), (figure.y, axes.yaxis)):
            marks = axis.marks()
            place.set_ticks([value for value, _ in marks], labels=[text for _, text in marks])
            place.set_ticks([], minor=True)
        axes.set_xlabel(figure.x.label)
        axes.set_ylabel(figure.y.label)
        axes.set_title(figure.title, pad=12)
        for mark in figure.marks:
            _draw(axes, mark)
        labels = sum(bool(mark.label) for mark in figure.marks)
        if labels:
            columns = 1 if labels < 3 else 2
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns)
        return _save(canvas, figure, folder)


def write_stack_png(stack: Stack, folder: Path) -> Path:
    """The same for stacked bars; as tall as its rows need."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(6.2, 1.6 + 0.34 * len(stack.rows)), dpi=DPI)
        FigureCanvasAgg(canvas)
        axes = canvas.subplots()
        axes.set_axisbelow(True)
        axes.grid(visible=True, axis="x")
        names = [row for row, _ in stack.rows]
        left = [0] * len(names)
        for layer, role in stack.roles.items():
            widths = [parts.get(layer, 0) for _, parts in stack.rows]
            if any(widths):
                axes.barh(names, widths, left=left, color=COLOURS[role], height=0.55, label=layer)
            left = [a + b for a, b in zip(left, widths, strict=True)]
        for name, total in zip(names, left, strict=True):
            axes.annotate(f"{total:,}", (total, name), (4, 0), textcoords="offset points", va="center", fontsize=8)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel(stack.unit)
        axes.set_title(stack.title, pad=12)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.3 / (1 + 0.2 * len(names))), ncols=len(stack.roles))
        return _save(canvas, stack, folder)


def _save(canvas: Canvas, figure: Figure | Stack, folder: Path) -> Path:
    path = folder / f"{figure.name}.png"
    canvas.savefig(
        path,
        bbox_inches="tight",
        metadata={"Software": None, "Title": figure.title, "Description": figure.alt},
    )
    return path


def _draw(axes: Axes, mark: Mark) -> None:
    colour = COLOURS[mark.role]
    # A leading underscore would hide a label from the legend; an empty one is hidden on purpose.
    # On paper nothing moves: what the slider calls "now" is the first guess.
    label = mark.label.replace("now", "at the first guess") or "_"
    if isinstance(mark, Line) and len(mark.points) < 2:
        return
    if isinstance(mark, Band):
        axes.axvspan(mark.low, mark.high, color=colour, alpha=0.16, lw=0, label=label)
    elif isinstance(mark, Boxes):
        from matplotlib.patches import Rectangle

        for number, (left, bottom, right, top) in enumerate(mark.boxes):
            axes.add_patch(
                Rectangle(
                    (left, bottom), right - left, top - bottom, facecolor=colour, edgecolor="white", alpha=0.55, lw=0.6,
                    label="_" if number else label,
                )
            )  # fmt: skip
    elif isinstance(mark, Line):
        style = (0, (4, 2.5)) if mark.dash else "-"
        axes.plot(
            [p[0] for p in mark.points], [p[1] for p in mark.points], color=colour, lw=mark.width * 0.8,
            ls=style, label=label,
        )  # fmt: skip
    elif isinstance(mark, Segments):
        from matplotlib.collections import LineCollection

        axes.add_collection(LineCollection(mark.pieces, colors=colour, linewidths=mark.width * 0.8, label=label))
    elif isinstance(mark, Bars):
        axes.bar([p[0] for p in mark.points], [p[1] for p in mark.points], width=mark.width, color=colour, label=label)
    else:
        face = "none" if mark.hollow else colour
        edge: dict[str, Any] = {} if mark.shape == "cross" else {"markeredgecolor": colour, "markerfacecolor": face}
        axes.plot(
            [p[0] for p in mark.points], [p[1] for p in mark.points], color=colour, ls="none",
            marker=MARKERS[mark.shape], ms=mark.size * 1.3, label=label, **edge,
        )  # fmt: skip
