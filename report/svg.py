# SPDX-License-Identifier: Apache-2.0
"""Figures as inline SVG. Colours come from the page's style sheet, so that light, dark and print share one drawing."""

from __future__ import annotations

from html import escape

from tinyproof.report.chart import Axis, Band, Bars, Boxes, Dots, Figure, Line, Mark, Point, Segments, Stack

WIDTH, HEIGHT = 460, 330
LEFT, RIGHT, TOP, BOTTOM = 72, 14, 12, 50
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


def draw(figure: Figure) -> str:
    """One <svg> element; every text of the figure is escaped. `data-*` tell the script the scales of the axes."""
    x, y = figure.x, figure.y
    scales = (
        f'data-x="{x.low:.9g} {x.high:.9g} {int(x.log)}" data-y="{y.low:.9g} {y.high:.9g} {int(y.log)}" '
        f'data-plot="{LEFT} {TOP} {PLOT_WIDTH} {PLOT_HEIGHT}"'
    )
    name = escape(figure.name)
    body = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-alt" id="svg-{name}" {scales}>',
        f'<title id="{name}-alt">{escape(figure.alt)}</title>',
        f'<clipPath id="clip-{name}"><rect x="{LEFT}" y="{TOP}" width="{PLOT_WIDTH}" height="{PLOT_HEIGHT}"/>'
        "</clipPath>",
        *_axes(x, y),
        f'<g clip-path="url(#clip-{name})">',
    ]
    body += [_mark(figure, mark) for mark in figure.marks]
    body.append("</g></svg>")
    return "\n".join(body)


def legend(figure: Figure) -> list[tuple[str, str]]:
    """(swatch as SVG, label) of each labelled mark, for a list under the drawing: it wraps on a phone."""
    return [(_swatch_of(mark), mark.label) for mark in figure.marks if mark.label]


def _px(axis: Axis, value: float) -> float:
    return LEFT + PLOT_WIDTH * axis.unit(value)


def _py(axis: Axis, value: float) -> float:
    return TOP + PLOT_HEIGHT * (1 - axis.unit(value))


def _axes(x: Axis, y: Axis) -> list[str]:
    bottom = TOP + PLOT_HEIGHT
    parts = ['<g class="axes">']
    for value, text in x.marks():
        at = _px(x, value)
        if not x.names:
            parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{escape(text)}</text>')
    for value, text in y.marks():
        at = _py(y, value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{LEFT + PLOT_WIDTH}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    for axis, ends in ((x, "x"), (y, "y")):
        if not axis.log and axis.low < 0 < axis.high and not axis.names:
            if ends == "x":
                at = _px(axis, 0)
                parts.append(f'<line class="zero" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}"/>')
            else:
                at = _py(axis, 0)
                parts.append(f'<line class="zero" x1="{LEFT}" x2="{LEFT + PLOT_WIDTH}" y1="{at:.1f}" y2="{at:.1f}"/>')
    middle_x, middle_y = LEFT + PLOT_WIDTH / 2, TOP + PLOT_HEIGHT / 2
    parts.append(
        f'<text class="label" x="{middle_x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>'
    )
    parts.append(
        f'<text class="label" transform="translate(13 {middle_y:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y.label)}</text>"
    )
    parts.append("</g>")
    return parts


def _mark(figure: Figure, mark: Mark) -> str:
    x, y = figure.x, figure.y
    if isinstance(mark, Band):
        left, right = _px(x, mark.low), _px(x, mark.high)
        return (
            f'<rect class="band {mark.role}" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" '
            f'height="{PLOT_HEIGHT}"/>'
        )
    if isinstance(mark, Boxes):
        path = "".join(
            f"M{_px(x, a):.1f} {_py(y, b):.1f}H{_px(x, c):.1f}V{_py(y, d):.1f}H{_px(x, a):.1f}Z"
            for a, b, c, d in mark.boxes
        )
        return f'<path class="box {mark.role}" d="{path}"/>'
    move = f' data-move="{escape(mark.move)}"' if mark.move else ""
    if isinstance(mark, Line):
        dash = " dash" if mark.dash else ""
        return (
            f'<polyline class="line {mark.role}{dash}"{move} stroke-width="{mark.width:g}" '
            f'points="{_points(x, y, mark.points)}"/>'
        )
    if isinstance(mark, Segments):
        path = "".join(
            f"M{_px(x, a[0]):.1f} {_py(y, a[1]):.1f}L{_px(x, b[0]):.1f} {_py(y, b[1]):.1f}" for a, b in mark.pieces
        )
        return f'<path class="line {mark.role}"{move} stroke-width="{mark.width:g}" d="{path}"/>'
    if isinstance(mark, Bars):
        path = "".join(_bar(x, y, point, mark.width) for point in mark.points)
        return f'<path class="fill {mark.role}"{move} data-width="{mark.width:g}" d="{path}"/>'
    shapes = "".join(shape(mark.shape, _px(x, a), _py(y, b), mark.size) for a, b in mark.points)
    hollow = "hollow" if mark.hollow or mark.shape == "cross" else "fill"
    return (
        f'<path class="{hollow} {mark.role}"{move} data-size="{mark.size:g}" data-shape="{mark.shape}" d="{shapes}"/>'
    )


def _points(x: Axis, y: Axis, points: list[Point]) -> str:
    return " ".join(f"{_px(x, a):.1f},{_py(y, b):.1f}" for a, b in points)


def _bar(x: Axis, y: Axis, point: Point, width: float) -> str:
    left, right = _px(x, point[0] - width / 2), _px(x, point[0] + width / 2)
    return f"M{left:.1f} {_py(y, 0):.1f}V{_py(y, point[1]):.1f}H{right:.1f}V{_py(y, 0):.1f}Z"


def shape(kind: str, x: float, y: float, size: float) -> str:
    """Path of one marker around (x, y), `size` its radius in pixels. The page's script draws the same four."""
    if kind == "square":
        return f"M{x - size:.1f} {y - size:.1f}h{2 * size:g}v{2 * size:g}h{-2 * size:g}Z"
    if kind == "diamond":
        r = size * 1.35
        return f"M{x - r:.1f} {y:.1f}l{r:g} {-r:g}l{r:g} {r:g}l{-r:g} {r:g}Z"
    if kind == "cross":
        return f"M{x - size:.1f} {y - size:.1f}l{2 * size:g} {2 * size:g}m0 {-2 * size:g}l{-2 * size:g} {2 * size:g}"
    return f"M{x - size:.1f} {y:.1f}a{size:g} {size:g} 0 1 0 {2 * size:g} 0a{size:g} {size:g} 0 1 0 {-2 * size:g} 0Z"


def swatch(role: str, kind: str = "fill") -> str:
    """A box in the colour of `role`, for a list under a drawing."""
    return _swatch(f'<rect class="{kind} {role}" x="4" y="1" width="14" height="12"/>')


def _swatch_of(mark: Mark) -> str:
    if isinstance(mark, Line | Segments):
        dash = " dash" if isinstance(mark, Line) and mark.dash else ""
        return _swatch(
            f'<line class="line {mark.role}{dash}" stroke-width="{mark.width:g}" x1="1" x2="21" y1="7" y2="7"/>'
        )
    if isinstance(mark, Dots):
        hollow = "hollow" if mark.hollow or mark.shape == "cross" else "fill"
        return _swatch(f'<path class="{hollow} {mark.role}" d="{shape(mark.shape, 11, 7, min(mark.size, 4.5))}"/>')
    return swatch(mark.role, "band" if isinstance(mark, Band) else "box" if isinstance(mark, Boxes) else "fill")


def _swatch(body: str) -> str:
    return f'<svg class="swatch" viewBox="0 0 22 14" aria-hidden="true">{body}</svg>'


def draw_stack(stack: Stack) -> str:
    """Horizontal stacked bars, each row under its name, so that long names fit a phone."""
    row_height, top = 44, 6
    height = top + row_height * len(stack.rows)
    most = max(sum(parts.values()) for _, parts in stack.rows) or 1
    room = WIDTH - 78
    name = escape(stack.name)
    body = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-alt" id="svg-{name}">',
        f'<title id="{name}-alt">{escape(stack.alt)}</title><g class="axes">',
    ]
    bars = []
    for number, (row, parts) in enumerate(stack.rows):
        y, x = top + number * row_height, 0.0
        body.append(f'<text class="label" x="0" y="{y + 13}">{escape(row)}</text>')
        for layer, amount in parts.items():
            width = room * amount / most
            if amount:
                bars.append(
                    f'<rect class="fill {stack.roles[layer]}" x="{x:.2f}" y="{y + 19}" width="{width:.2f}" height="15">'
                    f"<title>{escape(row)}: {escape(layer)} {amount:,} {escape(stack.unit)}</title></rect>"
                )
            x += width
        body.append(f'<text x="{x + 6:.1f}" y="{y + 31}">{sum(parts.values()):,}</text>')
    return "\n".join([*body, "</g>", *bars, "</svg>"])


def stack_legend(stack: Stack) -> list[tuple[str, str]]:
    """(swatch, layer) of each layer that occurs."""
    return [
        (swatch(role), layer) for layer, role in stack.roles.items() if any(parts.get(layer) for _, parts in stack.rows)
    ]
