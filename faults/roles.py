# SPDX-License-Identifier: Apache-2.0
"""What each number of an engine's tables and parameters is for: the kind of fault that changes it."""

from __future__ import annotations

import re

from tinyproof.export.ops.base import MveForm
from tinyproof.export.ops.mve import LANES, UNITS
from tinyproof.faults.native.source import Region

# The numbers of a pair of rows, and of a single one: kernels/pairs.h, kernels/conv_planes_parameters.h.
_PAIR = ("biases", "biases", "multipliers", "multipliers", "shifts", "shifts")
_UNIT = ("biases", "multipliers", "shifts")
# kernels/depthwise_quads_parameters.h: int16, of which 8 are biases, 8 multipliers and the last 8 scalings.
_QUAD_BIASES, _QUAD_TAIL = 8, 16

_SUFFIXES = {
    "weights": "weights",
    "recurrent": "weights",
    "bias": "biases",
    "biases": "biases",
    "multipliers": "multipliers",
    "shifts": "shifts",
}
# Members of parameter structs, by what their names hold; the first that fits decides, and the rest are bounds.
_MEMBERS = (
    ("multipliers", re.compile("multiplier$|multiplier_minus|reciprocal")),
    ("shifts", re.compile("shift$|scaling")),
    ("zero points", re.compile("zero_point|rounding|offset$")),
    ("clamps", re.compile("clamp|_min$|_max$")),
    ("strides", re.compile("stride|dilation")),
    ("pads", re.compile("pad")),
)


def blocks_of(form: MveForm) -> int:
    """Of a dense layer for MVE, how many blocks of inputs its kernel takes; 0 where its tables are others."""
    if "depth" in form.members:
        return -(-int(form.members["depth"]) // LANES)
    return int(form.members.get("blocks", "0"))


def role_of(region: Region, number: int, kernel: str, taps: int = 0, blocks: int = 0) -> str:
    """Of element `number` of a region. `kernel`: of the operator; `taps`: of its window, where quads have any;
    `blocks`: of its inputs, where fours have any."""
    if region.is_parameter:
        member = region.name.rpartition(".")[2].partition("[")[0]
        return next((kind for kind, pattern in _MEMBERS if pattern.search(member)), "bounds")
    suffix = region.name.rpartition("_")[2]
    if suffix in ("fours", "scales") and "_mve_" in kernel:
        return _role_for_mve(suffix, number, kernel, blocks)
    if suffix == "scales":
        row = _UNIT if kernel == "conv_planes_s8" else _PAIR
        return row[number % len(row)]
    if suffix == "quads":
        place = number % (_QUAD_BIASES + 4 * taps + _QUAD_TAIL)
        if place < _QUAD_BIASES:
            return "biases"
        if place < _QUAD_BIASES + 4 * taps:
            return "weights"
        return "multipliers" if place < _QUAD_BIASES + 4 * taps + _QUAD_TAIL // 2 else "shifts"
    return _SUFFIXES.get(suffix, "tables")


def _role_for_mve(suffix: str, number: int, kernel: str, blocks: int) -> str:
    """kernels_mve/kernels/mve.h: numbers of four units, in a table of bytes before and behind the weights of these."""
    numbers = 1 if suffix == "scales" else 4  # elements that make a number
    weights = UNITS * LANES * blocks
    behind = ("shifts", "multipliers", "shifts") if "_left_" in kernel else ("multipliers", "shifts")
    place = number % (weights + numbers * UNITS * (1 + len(behind))) - numbers * UNITS
    if place < 0:
        return "biases"
    return "weights" if place < weights else behind[(place - weights) // (numbers * UNITS)]
