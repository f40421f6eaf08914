# SPDX-License-Identifier: Apache-2.0
"""A convolution that goes channel by channel: tables and parameters of firmware/lib/engine/kernels/conv_planes_s8.h.

Costs are instructions of an inference on a Cortex-M4, about; they choose between kernels that all answer the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

from tinyproof.export.ops.base import Constant
from tinyproof.export.ops.one_rounding import unit_factors
from tinyproof.export.ops.scaling import Scaling
from tinyproof.export.ops.simd_packing import Row

MAX_STRIP_BYTES = 2048  # of a strip's scratch, unless one row takes more
CALL_COST = 900  # of a kernel, once
# Of kernels_dsp/kernels/planes_at_once.h: for any layer but those of 3 x 3 by one rounding, and for those of 3 x 3 of
# which no more channels than this share take one.
ANY, THREE_TWICE, SELDOM = "PLANES_ANY", "PLANES_THREE_TWICE", 0.5
ROW_COST = 20  # of a row for the inner loop, beside its sums


@dataclass(frozen=True)
class Axis:
    """One dimension of the images and the kernel; steps in bytes from one pixel to the next."""

    size: int
    outputs: int
    taps: int
    stride: int
    dilation: int
    pad: int
    input_step: int
    output_step: int

    @property
    def inside(self) -> int:
        """Outputs whose taps are all in the image."""
        reach = (self.taps - 1) * self.dilation
        starts = (place * self.stride - self.pad for place in range(self.outputs))
        return sum(start >= 0 and start + reach < self.size for start in starts)

    def simplest(self) -> Axis:
        """The same as kernels walk it: one tap steps over what it leaves out, and gaps between taps are written out
        where a stride keeps remainders from being taken apart."""
        if self.taps == 1 and self.pad == 0:
            return replace(self, size=self.outputs, stride=1, input_step=self.input_step * self.stride)
        if self.stride == 1:
            return self
        return replace(self, taps=(self.taps - 1) * self.dilation + 1, dilation=1)


@dataclass(frozen=True)
class Planes:
    """`y` and `x` are the axes as the kernel walks them. Input channels come in `groups` of `channels`, and each group
    makes `units` output channels."""

    batches: int
    y: Axis
    x: Axis
    groups: int
    channels: int
    units: int
    exchanged: bool
    rows: tuple[Row, ...]  # of each output channel the weights [height][width][channels], in the layer's own order
    image_bytes: int  # of the input
    once: float  # what share of the output channels is rescaled by one rounding

    kernel = "conv_planes_s8"

    @classmethod
    def both(
        cls, batches: int, axes: tuple[Axis, Axis], groups: int, channels: int, rows: tuple[Row, ...], *, once: float
    ) -> list[Planes]:
        """Along either axis."""
        image_bytes, units = axes[0].size * axes[1].size * groups * channels, len(rows) // groups
        found = []
        for exchanged in (False, True):
            y, x = axes[::-1] if exchanged else axes
            y, x = y.simplest() if y.taps == 1 else y, x.simplest()
            found.append(cls(batches, y, x, groups, channels, units, exchanged, rows, image_bytes, once))
        return found

    @property
    def kind(self) -> str:
        """Layouts of one kind share their tables."""
        return f"{self.kernel} {'columns' if self.exchanged else 'rows'}"

    @cached_property
    def row_outputs(self) -> int:
        """Of a row at most, the columns of one remainder; a part of them where a row of them all takes much room."""
        outputs = -(-self.x.outputs // self.x.dilation)
        row_bytes = 2 * self.x.stride * self._input_rows(1) + 4 * self.units
        most = max(4, (MAX_STRIP_BYTES // row_bytes) // 4 * 4)
        return min(outputs, most)

    @property
    def parts(self) -> int:
        """In how many parts a row is done."""
        return self.x.dilation * -(-self.x.outputs // self.x.dilation // self.row_outputs)

    @property
    def steps(self) -> int:
        """Pairs of taps in a row of the kernel; with a stride of 1 they are taken from two places."""
        return self.x.taps // 2 + 1 if self.x.stride == 1 else -(-self.x.taps // 2)

    @cached_property
    def flat(self) -> bool:
        """Whether the sums of a strip are one row for the inner loop, which then makes some between the rows, too:
        unless those cost more than a loop for each row."""
        between = self.pitch - self._row_sums
        worth_it = between * self._four_cost <= 4 * ROW_COST
        return self.channels > 1 and self.x.stride == self.y.stride == 1 and worth_it

    @property
    def sums_pitch(self) -> int:
        """int32 from one row of sums to the next; 0: there are none in memory."""
        return 0 if self.channels == 1 else self.pitch if self.flat else self._row_sums

    @property
    def _row_sums(self) -> int:
        return -(-self.row_outputs // 4) * 4

    @property
    def kernel_macros(self) -> tuple[str, ...]:
        """As of Op."""
        if self._at_once and self.once == 1 and self.parts == 1:
            return ()
        return (ANY, THREE_TWICE) if self._takes_two_roundings else (ANY,)

    @property
    def _takes_two_roundings(self) -> bool:
        return self._at_once and self.once <= SELDOM

    @property
    def _at_once(self) -> bool:
        """Whether the kernel for the DSP extension keeps a channel's weights in registers."""
        three = (self.y.taps, self.x.taps) == (3, 3) and self.x.stride <= 2
        return self.channels == 1 and three and self.row_outputs > 1

    @property
    def pitch(self) -> int:
        columns = (self.row_outputs - 1) * self.x.stride + self.x.taps
        return columns + columns % 2

    @cached_property
    def strip(self) -> int:
        """Output rows at a time, at most: as few as make no more strips than there must be."""
        rows = self.y.outputs
        while rows > 1 and self._strip_bytes(rows) > MAX_STRIP_BYTES:
            rows -= 1
        strips = len(self._strips(rows))
        while rows > 1 and len(self._strips(rows - 1)) == strips:
            rows -= 1
        return rows

    @property
    def strips(self) -> list[int]:
        """How many output rows are made at a time."""
        return self._strips(self.strip)

    def _strips(self, strip: int) -> list[int]:
        done, found = 0, []
        while done < self.y.outputs:
            found.append(min(strip, self.first + self.growth * done, self.y.outputs - done))
            done += found[-1]
        return found

    @property
    def first(self) -> int:
        """Output rows of the first strip at most."""
        return 1 if self.growth else self.y.outputs

    @cached_property
    def growth(self) -> int:
        """How many more rows a strip may have for each that is done before it. Where more of the input is read than
        outputs are written, these lie over what was read: then only the first strips decide how near they may be."""
        if self.exchanged:  # its rows are columns of the image
            return 0
        return max(0, self.y.stride * self.y.input_step // self.y.output_step - 1)

    @property
    def is_far(self) -> bool:
        """Whether all rows of the image are needed nearly to the end, so that outputs find no room over inputs."""
        return self.exchanged and not (self.strip == self.y.outputs and self.parts == 1)

    def _input_rows(self, rows: int) -> int:
        return (rows - 1) * self.y.stride + (self.y.taps - 1) * self.y.dilation + 1

    def plane(self, rows: int) -> int:
        """int16 of a strip; what outputs beyond the end of a row read lies in it, too."""
        elements = self._input_rows(rows) * self.pitch + 4 * self.x.stride + 2 * self.steps + 2
        return elements + elements % 2

    def sums(self, rows: int) -> int:
        return -(-((rows - 1) * self.sums_pitch + self.row_outputs) // 4) * 4 if self.channels > 1 else 0

    def _strip_bytes(self, rows: int) -> int:
        return 2 * self.plane(rows) + 4 * self.units * self.sums(rows)

    @property
    def scratch_bytes(self) -> int:
        words = 3 * (self.y.taps * self.steps + 1)
        return self._strip_bytes(self.strip) + 4 * max(words, self.y.taps * self.x.taps)

    @cached_property
    def cost(self) -> int:
        strips = sum(count * self._strip_cost(rows) for rows, count in Counter(self.strips).items())
        return round(CALL_COST + 1.04 * self.batches * self.parts * strips)

    def _strip_cost(self, rows: int) -> float:
        taps = self.y.taps * self.steps
        eights, rest = divmod(min(-(-self.x.size // self.x.dilation), self.pitch), 8)
        fill = 45 + self._input_rows(rows) * (17 + 20 * eights + 9 * (rest // 4) + 5 * (rest % 4))
        spread = 40 + 17 * taps
        four = self._four_cost
        if self.channels > 1:
            fours, loops = self.sums(rows) // 4, 1 if self.flat else rows
            spread = self.channels * (spread + 60 + 35 * loops + fours * four) + 6 * fours
            four = 24
        once, twice = (spread + rows * (ROW_COST + self._row_sums // 4 * (four + more)) for more in (8, 23))
        if self._at_once:
            pair = 26 if self.x.stride == 1 else 29
            once = 120 + rows * (22 + pair * (self.row_outputs // 2) + 18 * (self.row_outputs % 2))
        if self._takes_two_roundings:
            twice = once + rows * (7 * (self.row_outputs // 2) + 4 * (self.row_outputs % 2))
        units = self.units * (self.once * once + (1 - self.once) * twice)
        return 100 + self.groups * (self.channels * (30 + fill) + units)

    @property
    def _four_cost(self) -> int:
        """Of four sums of one channel, in memory or with all but the rescaling of outputs."""
        taps = self.y.taps * self.steps
        step = {1: 8, 2: 9}.get(self.x.stride, 11)
        return (9 if self.channels > 1 else 24) + step * (taps + taps % 2)

    def constants(self, scaling: Scaling) -> list[Constant]:
        """`weights`, and of each output channel a bias and the numbers of `unit_factors`."""
        factors = unit_factors(self.rows, scaling)
        scales = [
            number for b, factor in zip(scaling.bias, factors, strict=True) for number in (b + factor[0], *factor[1:])
        ]
        weights = [weight for row in self.rows for weight in self._taps(row)]
        return [Constant("weights", "int8_t", weights), Constant("scales", "int32_t", scales)]

    def _taps(self, row: Row) -> list[int]:
        """A row as [channels][y][x], gaps of a dilation written out."""
        taps = len(row) // self.channels
        width = taps // self.y.taps  # along x, without gaps
        spread = 1 if width == self.x.taps else (self.x.taps - 1) // max(width - 1, 1)
        values = [0] * (self.channels * self.y.taps * self.x.taps)
        for place, weight in enumerate(row):
            tap, channel = divmod(place, self.channels)
            y, x = divmod(tap, width) if not self.exchanged else divmod(tap, self.y.taps)[::-1]
            values[(channel * self.y.taps + y) * self.x.taps + x * spread] = weight
        return values

    def parameters(self, prefix: str, input_zero_point: int, scaling: Scaling) -> dict[str, str]:
        """struct conv_planes_s8."""
        y, x = self.y, self.x
        window = (
            *(self.batches, y.size, x.size, self.groups * self.channels, y.outputs, x.outputs, y.taps, x.taps),
            *(y.stride, x.stride, y.dilation, x.dilation, y.pad, x.pad, input_zero_point),
        )
        numbers = {
            "input_step_x": x.input_step,
            "input_step_y": y.input_step,
            "input_image": self.image_bytes,
            "output_step_x": x.output_step,
            "output_step_y": y.output_step,
            "groups": self.groups,
            "group_channels": self.channels,
            "group_units": self.units,
            "strip": self.strip,
            "first": self.first,
            "growth": self.growth,
            "part": self.row_outputs,
            "phase_outputs": -(-x.outputs // x.dilation),
            "long_phases": (x.outputs - 1) % x.dilation + 1,
            "pitch": self.pitch,
            "plane": self.plane(self.strip),
            "sums": self.sums(self.strip),
            "sums_pitch": self.sums_pitch,
            "rounding": 1 + 2 * scaling.zero_point,
            "clamp_min": scaling.clamp[0],
            "clamp_max": scaling.clamp[1],
        }
        tables = {table: f"{prefix}_{table}" for table in ("weights", "scales")}
        head = {"window": f"{{{', '.join(map(str, window))}}}"}
        return head | {name: str(value) for name, value in numbers.items()} | tables


def quads_cost(pixels: int, border: int, taps: int, quads: int, walks: int, *, once: float) -> int:
    """Of depthwise_quads_s8, where `border` of the pixels have to look for each of their taps; of a pixel so many
    `quads` in so many `walks`; `once`: this share of the channels by one rounding."""
    each = 9.8 * taps + 40 - 16 * once
    return round(450 + pixels * (42 + 27 * walks + quads * each) + border * (60 + 11 * taps))
