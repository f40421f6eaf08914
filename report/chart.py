# SPDX-License-Identifier: Apache-2.0
"""A figure as data: axes and marks, without a word about pixels. `svg` draws it into the page, `png` with matplotlib.

Colours are roles. The values are Okabe and Ito's palette, which readers with any kind of colour vision can tell apart
(https://jfly.uni-koeln.de/color/); each role also has a dash or a marker of its own, so colour is never alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

Point = tuple[float, float]

# Role -> colour on a light ground; the page's style sheet has the variants for a dark one.
COLOURS = {
    "ink": "#1f2328",
    "faint": "#8b929b",
    "model": "#0072b2",  # blue: what the neuron predicts now
    "data": "#1f2328",
    "error": "#d55e00",  # vermillion: how far off
    "target": "#009e73",  # bluish green: where it should be
    "extra": "#cc79a7",  # reddish purple
    "warm": "#e69f00",  # orange
}


@dataclass(frozen=True)
class Axis:
    """`low` < `high` in data units; on a log axis both are positive. `ticks` override the chosen ones."""

    label: str
    low: float
    high: float
    log: bool = False
    ticks: tuple[float, ...] = ()
    names: tuple[str, ...] = ()  # names of the ticks, for categories

    def unit(self, value: float) -> float:
        """Position of `value` from 0 (low) to 1 (high); clamped a little outside, so that no path runs away."""
        if self.log:
            low, high = math.log10(self.low), math.log10(self.high)
            share = (math.log10(max(value, 1e-300)) - low) / (high - low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(4.0, max(-3.0, share))

    def marks(self) -> list[tuple[float, str]]:
        """(value, text) of each tick."""
        values = self.ticks or (log_ticks(self.low, self.high) if self.log else linear_ticks(self.low, self.high))
        return list(zip(values, self.names or [short(value) for value in values], strict=True))


@dataclass(frozen=True)
class Line:
    """A polyline. `move` names what the slider does to it; `clip` is always on."""

    points: list[Point]
    role: str = "ink"
    label: str = ""
    width: float = 2.0
    dash: bool = False
    move: str = ""


@dataclass(frozen=True)
class Dots:
    """Points; `shape` is "circle", "square", "diamond" or "cross"."""

    points: list[Point]
    role: str = "ink"
    label: str = ""
    size: float = 4.5
    shape: str = "circle"
    hollow: bool = False
    move: str = ""


@dataclass(frozen=True)
class Segments:
    """Separate straight pieces, such as residuals."""

    pieces: list[tuple[Point, Point]]
    role: str = "ink"
    label: str = ""
    width: float = 2.0
    move: str = ""


@dataclass(frozen=True)
class Bars:
    """Upright bars from 0 to y, `width` in units of x."""

    points: list[Point]
    width: float
    role: str = "ink"
    label: str = ""
    move: str = ""


@dataclass(frozen=True)
class Boxes:
    """Rectangles: left, bottom, right and top in data units, each with an edge."""

    boxes: list[tuple[float, float, float, float]]
    role: str = "ink"
    label: str = ""


@dataclass(frozen=True)
class Band:
    """A shaded range of x over the full height."""

    low: float
    high: float
    label: str = ""
    role: str = "warm"


Mark = Line | Dots | Segments | Bars | Band | Boxes


@dataclass(frozen=True)
class Figure:
    """`name` is the file name of the PNG and the id in the page; `alt` says in words what there is to see."""

    name: str
    title: str
    alt: str
    caption: str
    x: Axis
    y: Axis
    marks: list[Mark] = field(default_factory=list)
    moves: bool = False
    live: str = ""  # words that the script keeps up to date with the slider


def linear_ticks(low: float, high: float, wanted: int = 8) -> tuple[float, ...]:
    """At most about `wanted` round values in [low, high]."""
    raw = (high - low) / wanted
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten in [low, high], thinned to at most seven; 1, 2, 5 where there are fewer than two."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 1:
        values = [m * 10.0**e for e in range(first - 1, last + 2) for m in (1, 2, 5)]
        return tuple(value for value in values if low * 0.999 <= value <= high * 1.001)
    every = max(1, math.ceil((last - first) / 6))
    return tuple(10.0**e for e in range(first, last + 1, every))


def short(value: float) -> str:
    """A tick's text: no trailing zeros, a true minus sign, 10^n beyond four digits."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e5 or size < 1e-3:
        exponent = math.floor(math.log10(size) + 1e-9)
        mantissa = value / 10.0**exponent
        power = "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return power if abs(mantissa - 1) < 1e-9 else f"{mantissa:.3g}·{power}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def padded(values: list[float], share: float = 0.08) -> Point:
    """(low, high) around finite values with some room; never an empty range."""
    low, high = min(values), max(values)
    room = (high - low) * share or max(1.0, abs(low)) * 0.5
    return low - room, high + room


@dataclass(frozen=True)
class Stack:
    """Horizontal stacked bars, one per row. `rows`: (name, {layer: amount}); `roles`: layer -> colour role."""

    name: str
    title: str
    alt: str
    caption: str
    unit: str
    rows: list[tuple[str, dict[str, int]]]
    roles: dict[str, str]
