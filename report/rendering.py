# SPDX-License-Identifier: Apache-2.0
"""How data become words and drawings of a page: the template engine with our filters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyproof.core.tflite.arithmetic import real_limits
from tinyproof.report.chart import Figure, Stack
from tinyproof.report.layer_names import layer_name
from tinyproof.report.network import draw_histogram
from tinyproof.report.size_charts import unit_of
from tinyproof.report.svg import draw, draw_stack, legend, stack_legend, swatch

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Strings of models and boards are escaped; a name that is missing is an error. Every page has our style."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["figure"] = figure_parts
    made.filters["number"] = number
    made.filters["values"] = values
    made.filters["histogram"] = lambda counts: Markup(draw_histogram(counts))
    made.filters["layer_name"] = layer_name
    made.filters["swatch"] = lambda role: Markup(swatch(role))
    made.filters["unit"] = unit_of
    made.filters["limits"] = lambda tensor: real_limits(tensor.dtype, tensor.scale, tensor.zero_point)
    made.globals["style"] = Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))
    return made


def figure_parts(figure: Figure | Stack) -> dict[str, Any]:
    """Drawing and legend as markup that svg.py has escaped already."""
    from markupsafe import Markup

    def marked(entries: list[tuple[str, str]]) -> list[tuple[Markup, str]]:
        return [(Markup(drawn), label) for drawn, label in entries]

    if isinstance(figure, Stack):
        return {"svg": Markup(draw_stack(figure)), "legend": marked(stack_legend(figure))}
    return {"svg": Markup(draw(figure)), "legend": marked(legend(figure))}


def number(value: Any, digits: int = 4) -> str:
    """A number for reading: significant digits, thousands apart, a true minus sign, no trailing zeros."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    size = abs(value)
    if size and (size >= 1e6 or size < 1e-3):
        return f"{value:.{digits}g}".replace("-", "−")
    return f"{float(f'{value:.{digits}g}'):,.10g}".replace("-", "−")


def values(items: list[Any] | None, digits: int = 6) -> str:
    """A tensor's values in a table: one number, or the first few."""
    if items is None:
        return "–"
    shown = ", ".join(number(item, digits) for item in items[:4])
    return shown + (", …" if len(items) > 4 else "")
