# SPDX-License-Identifier: Apache-2.0
"""TRANSPOSE by any permutation, REVERSE_V2 along any neighbours, BROADCAST_TO; STRIDED_SLICE with any begin, end,
stride and mask, SLICE from anywhere."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_moves import Part, Shape, case, data, index, ints, kinds, one, packed, shapes
from support.op_strategies import seeds
from support.op_table import Refusal, Row

EVERY = ("int8", "uint8", "int16", "int32", "int64", "bool")


def sliced(shape: Shape, slices: list[tuple[int, int, int]], output: Shape, dtype: str = "int8", **masks: Any) -> bytes:
    columns = [ints(*column) for column in zip(*slices, strict=True)]
    return one("STRIDED_SLICE", [Part(shape, dtype), *columns], [Part(output, dtype)], **masks)


@st.composite
def slices(draw: st.DrawFn) -> Case:
    shape = draw(shapes(size=6))
    chosen, output = [], []
    begin_mask, end_mask, shrink = (draw(st.integers(0, 2 ** len(shape) - 1)) for _ in range(3))
    shrink &= ~(1 << draw(st.integers(0, len(shape) - 1)))  # something stays
    for axis, size in enumerate(shape):
        shrunk = shrink >> axis & 1
        step = draw(st.sampled_from([1, 1, 2, 3] if shrunk else [1, 1, 2, -1, -2, 9]))
        begin = draw(st.integers(0, size - 1))
        end = draw(st.integers(begin + 1, size + 2) if step > 0 else st.integers(-size - 1, begin - size - 1))
        ends = None if begin_mask >> axis & 1 else begin, None if end_mask >> axis & 1 else end
        chosen.append((begin - draw(st.sampled_from([0, size] if begin else [0, size, size + 3])), end, step))
        if step < 0 and chosen[-1][0] < -size:
            chosen[-1] = (begin, end, step)
        if not shrunk:
            output.append(len(range(size)[ends[0] : ends[1] : step]))
    masks = {"beginMask": begin_mask, "endMask": end_mask, "shrinkAxisMask": shrink}
    if draw(st.booleans()):  # TFLite Micro ignores them where the shapes let it
        masks |= {"ellipsisMask": draw(st.integers(0, 3)), "newAxisMask": draw(st.integers(0, 3))}
    columns = [ints(*column) for column in zip(*chosen, strict=True)]
    x = Part(shape, draw(kinds("int8", "int16", "int32", "bool")))
    y = x._replace(shape=tuple(output))
    return case("STRIDED_SLICE", [x, *columns], [y], data(x, draw(seeds)), **masks)


@st.composite
def any_slice(draw: st.DrawFn, computed: bool) -> Case:
    """`computed`: begin, and perhaps size, are inputs of the model."""
    x = Part(draw(shapes(most=5)), draw(kinds("int8", "int16", "int32", "bool")))
    y = x._replace(shape=tuple(draw(st.integers(1, size)) for size in x.shape))
    kind = draw(kinds("int32", "int64"))
    rest = [whole - part for whole, part in zip(x.shape, y.shape, strict=True)]
    begins = [tuple(draw(st.integers(0, limit)) for limit in rest) for _ in range(5 if computed else 1)]
    if not computed and draw(st.booleans()):
        begins = [tuple(rest)]
    size = ints(*y.shape, dtype=kind)
    if begins == [tuple(rest)] and draw(st.booleans()):
        size = ints(*(-1 if draw(st.booleans()) else part for part in y.shape), dtype=kind)
    seed = draw(seeds)
    if not computed:
        return case("SLICE", [x, ints(*begins[0], dtype=kind), size], [y], data(x, seed))
    samples = [content + packed(begin, kind) for content, begin in zip(data(x, seed), begins, strict=True)]
    place = index((len(x.shape),), kind)
    if draw(st.booleans()):
        return case("SLICE", [x, place, size], [y], samples)
    return case(
        "SLICE", [x, place, index(place.shape, kind)], [y], [sample + packed(y.shape, kind) for sample in samples]
    )


def transpose(shape: Shape, permutation: list[int], output: Shape | None = None, dtype: str = "int8") -> bytes:
    made = output or tuple(shape[axis] for axis in permutation)
    return one("TRANSPOSE", [Part(shape, dtype), ints(*permutation)], [Part(made, dtype, scale=0.25)])


@st.composite
def transposes(draw: st.DrawFn) -> Case:
    x = Part(draw(shapes(most=5)), draw(kinds("int8", "int16")), zero_point=3)
    permutation = draw(st.permutations(range(len(x.shape))))
    y = x._replace(shape=tuple(x.shape[axis] for axis in permutation))
    return case("TRANSPOSE", [x, ints(*permutation)], [y], data(x, draw(seeds)))


@st.composite
def reverses(draw: st.DrawFn, computed: bool) -> Case:
    x = Part(draw(shapes(most=6, size=3)), draw(kinds(*EVERY)))
    rank = len(x.shape)
    count = draw(st.integers(1, rank))
    choices = []
    for _ in range(5 if computed else 1):
        first = draw(st.integers(0, rank - count))
        axes = draw(st.permutations(range(first, first + count)))
        choices.append([axis - draw(st.sampled_from([0, rank])) for axis in axes])
    contents = data(x, draw(seeds))
    if not computed:
        return case("REVERSE_V2", [x, ints(*choices[0])], [x], contents)
    samples = [content + packed(axes) for content, axes in zip(contents, choices, strict=True)]
    return case("REVERSE_V2", [x, index((count,))], [x], samples)


@st.composite
def broadcasts(draw: st.DrawFn) -> Case:
    wide = draw(shapes(most=5))
    first = draw(st.integers(0, len(wide)))
    x = Part(tuple(draw(st.sampled_from([1, size])) for size in wide[first:]), draw(kinds(*EVERY)))
    shape = ints(*wide, dtype=draw(kinds("int32", "int64")))
    return case("BROADCAST_TO", [x, shape], [x._replace(shape=wide)], data(x, draw(seeds)))


ROWS = [
    Row("STRIDED_SLICE", "any_slice", slices(), count=60),
    Row("SLICE", "from_a_constant", any_slice(computed=False)),
    Row("SLICE", "from_what_is_computed", any_slice(computed=True)),
    Row("TRANSPOSE", "any_permutation", transposes(), count=60),
    Row("REVERSE_V2", "any_neighbours", reverses(computed=False)),
    Row("REVERSE_V2", "along_what_is_computed", reverses(computed=True)),
    Row("BROADCAST_TO", "any_shape", broadcasts()),
]


def _slice(begin: Part, size: Part, output: Shape = (2, 2), shape: Shape = (3, 4), dtype: str = "int8") -> bytes:
    return one("SLICE", [Part(shape, dtype), begin, size], [Part(output, dtype)])


def _reverse(shape: Shape, axes: Part, output: Shape | None = None) -> bytes:
    return one("REVERSE_V2", [Part(shape), axes], [Part(output or shape)])


def _broadcast(shape: Shape, wide: Part, output: Shape) -> bytes:
    return one("BROADCAST_TO", [Part(shape), wide], [Part(output)])


REFUSALS = [
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 4, 0)], (4,)), "stride other than 0"),
    Refusal("STRIDED_SLICE", sliced((4,), [(3, 1, 1)], (1,)), "takes nothing"),
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 2, 1)], (3,)), "does not follow"),
    Refusal("STRIDED_SLICE", sliced((4, 2), [(4, 5, 1), (0, 2, 1)], (2,), shrinkAxisMask=1), "does not exist"),
    Refusal("STRIDED_SLICE", sliced((4, 2), [(1, 2, -1), (0, 2, 1)], (2,), shrinkAxisMask=1), "is negative"),
    Refusal("STRIDED_SLICE", sliced((4,), [(1, 4, 2**31 - 1)], (1,)), "overflows"),
    Refusal("STRIDED_SLICE", sliced((1,) * 5, [(0, 1, 1)] * 5, (1,) * 5), "1 to 4 dimensions"),
    Refusal("STRIDED_SLICE", sliced((4,), [(0, 2, 1)], (2,), dtype="int64"), "is int64"),
    Refusal("SLICE", _slice(ints(2, 0), ints(2, 2)), "is not within"),
    Refusal("SLICE", _slice(ints(-1, 0), ints(2, 2)), "is not within"),
    Refusal("SLICE", _slice(ints(0, 0), ints(2, 3)), "does not follow"),
    Refusal("SLICE", _slice(ints(0, 0), ints(-1, 2)), "does not follow"),
    Refusal("SLICE", _slice(ints(0, 0), ints(4, 2), (4, 2)), "is larger"),
    Refusal("SLICE", _slice(ints(0, 0), ints(2, 2, dtype="int64")), "is int64"),
    Refusal("SLICE", _slice(ints(0), ints(2)), "a begin and a size"),
    Refusal("SLICE", _slice(ints(*[0] * 6), ints(*[1] * 6), (1,) * 6, (1,) * 6), "1 to 5 dimensions"),
    Refusal("TRANSPOSE", transpose((2, 3), [0, 0], output=(2, 2)), "no permutation"),
    Refusal("TRANSPOSE", transpose((2, 3), [0, -1], output=(2, 3)), "no permutation"),
    Refusal("TRANSPOSE", transpose((2, 3), [1, 0], output=(2, 3)), "does not follow"),
    Refusal("TRANSPOSE", transpose((2, 3), [1, 0], dtype="int32"), "is int32"),
    Refusal("TRANSPOSE", transpose((1, 1, 1, 1, 2, 3), [0, 1, 2, 3, 5, 4]), "1 to 5 dimensions"),
    Refusal("REVERSE_V2", _reverse((2, 3, 2), ints(0, 2)), "no neighbours"),
    Refusal("REVERSE_V2", _reverse((2, 3), ints(1, 1)), "no neighbours"),
    Refusal("REVERSE_V2", _reverse((2, 3), ints(2)), "axis 2 does not exist"),
    Refusal("REVERSE_V2", _reverse((2, 3), ints(0, 1, 0)), "1 to 2 axes"),
    Refusal("REVERSE_V2", _reverse((2, 3), ints(0), (3, 2)), "does not follow"),
    Refusal("REVERSE_V2", _reverse((1,) * 7, ints(0)), "1 to 6 dimensions"),
    Refusal("BROADCAST_TO", _broadcast((2,), ints(3), (3,)), "cannot be broadcast"),
    Refusal("BROADCAST_TO", _broadcast((2,), ints(2, 2), (4, 2)), "does not follow"),
    Refusal("BROADCAST_TO", _broadcast((2,), ints(*[1] * 5, 2), (1, 1, 1, 1, 1, 2)), "0 to 5 dimensions"),
    Refusal("BROADCAST_TO", _broadcast((2, 1), ints(2), (2,)), "cannot be broadcast"),
    Refusal("BROADCAST_TO", _broadcast((2,), index((2,)), (2, 2)), "must be a constant"),
]
