# SPDX-License-Identifier: Apache-2.0
"""In which order the kernels of a convolution read and write: each form that some board may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyproof.export.ops.access import AccessOrder, Groups, Window, by_strips, exchanged, in_rows, windows_order
from tinyproof.export.ops.conv_pairs import Pairs
from tinyproof.export.ops.conv_planes import Planes

if TYPE_CHECKING:
    from tinyproof.export.ops.convolution import Convolution

FOUR_PIXELS = 4  # kernels_dsp/kernels/conv_pairs_s8.h
TWO_PIXELS = 2  # kernels_dsp/kernels/conv_rows_s16.h, kernels_mve/kernels/conv_mve.h, kernels_blocked/


def layout_orders(op: Convolution, layout: Pairs | Planes) -> list[AccessOrder]:
    """Of the kernels for int8 on cores without MVE."""
    return _pairs_orders(op, layout) if isinstance(layout, Pairs) else _planes_orders(op, layout)


def _pairs_orders(op: Convolution, layout: Pairs) -> list[AccessOrder]:
    """conv_pairs_s8: where outputs may lie over it, the plain kernel copies the input under a pixel, that for blocks
    under two; DSP's copies it under four pixels, or under a row where it makes borders."""
    height, width = op.out_height, op.out_width
    return [
        order(op, in_rows(height, width, 1), late=False),
        order(op, in_rows(height, width, TWO_PIXELS), late=False),
        order(op, in_rows(height, width, width if layout.strip else FOUR_PIXELS), late=False),
    ]


def _planes_orders(op: Convolution, layout: Planes) -> list[AccessOrder]:
    """conv_planes_s8: pixels one after the other, perhaps column by column; that of all other cores reads a channel of
    some rows, which are columns where the axes are exchanged, and then makes what depends on it."""
    height, width = layout.y.outputs, layout.x.outputs
    strips = by_strips(width, layout.strips, layout.row_outputs)
    plain = in_rows(height, width, 1)
    if layout.exchanged:
        strips, plain = exchanged(strips), exchanged(plain)
    return [order(op, plain, late=True), order(op, strips, late=layout.groups > 1)]


def pixel_orders(op: Convolution) -> list[AccessOrder]:
    """Kernels that go pixel by pixel, and by channels within each."""
    return [order(op, in_rows(op.out_height, op.out_width, 1), late=True)]


def rows_s16_orders(op: Convolution) -> list[AccessOrder]:
    """conv_rows_s16: DSP's copies the input under two pixels, but for a last one alone."""
    return [*pixel_orders(op), order(op, in_rows(op.out_height, op.out_width, TWO_PIXELS), late=False)]


def mve_conv_orders(op: Convolution) -> list[AccessOrder]:
    """conv_mve.h: two pixels together, copied where outputs may lie over them."""
    return [order(op, in_rows(op.out_height, op.out_width, TWO_PIXELS), late=False)]


def mve_depthwise_orders(op: Convolution, columns: tuple[int, int], fold: int) -> list[AccessOrder]:
    """depthwise_mve.h: `fold` pixels together where all taps are inside, in the columns from, up to."""
    start, stop = columns
    whole = stop - (stop - start) % fold
    in_row = [start + (x - start) // fold * fold if start <= x < whole else x for x in range(op.out_width)]
    return [order(op, [[row * op.out_width + x for x in in_row] for row in range(op.out_height)], late=True)]


def mve_padded_orders(op: Convolution) -> list[AccessOrder]:
    """depthwise_mve.h: the input under a row of the output is copied before that is made."""
    return [order(op, in_rows(op.out_height, op.out_width, op.out_width), late=False)]


def order(op: Convolution, groups: Groups, *, late: bool) -> AccessOrder:
    """Of a kernel that makes its output pixels in `groups`, see windows_order."""
    sizes, outputs = (op.height, op.width), (op.out_height, op.out_width)
    taps = (op.kernel_height, op.kernel_width)
    rows, columns = (
        Window(*numbers) for numbers in zip(sizes, outputs, taps, op.strides, op.dilations, op.pads, strict=True)
    )
    element = op.x.bytes // op.x.elements
    pixel_bytes = (element * op.channels_in, element * op.channels_out)
    return windows_order((rows, columns), groups, pixel_bytes, late=late)
