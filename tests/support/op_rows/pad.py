# SPDX-License-Identifier: Apache-2.0
"""PAD and PADV2 of any size on any side, with the zero point or with any value; MIRROR_PAD."""

from __future__ import annotations

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_moves import Part, Shape, case, data, index, kinds, one, packed, shapes
from support.op_strategies import seeds, zero_points
from support.op_table import Refusal, Row

Pairs = list[tuple[int, int]]


def flat(pairs: Pairs, dtype: str = "int32") -> Part:
    return Part((len(pairs), 2), dtype, [size for pair in pairs for size in pair], None)


def padded(shape: Shape, pairs: Pairs) -> Shape:
    return tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=False))


def pad(
    name: str,
    shape: Shape,
    pairs: Pairs,
    value: Part | None = None,
    dtype: str = "int32",
    output: Shape | None = None,
    kind: str = "int8",
) -> bytes:
    operands = [Part(shape, kind), flat(pairs, dtype), *([] if value is None else [value])]
    return one(name, operands, [Part(output or padded(shape, pairs), kind)])


@st.composite
def pads(draw: st.DrawFn, name: str) -> Case:
    """PADV2 has a value, which may be computed."""
    shape, kind = draw(shapes(most=5, size=4)), draw(kinds("int8", "int8", "int16", "int32"))
    sizes = st.sampled_from([0, 0, 0, 1, 2, 3])
    pairs = [(draw(sizes), draw(sizes)) for _ in shape]
    x = Part(shape, kind, zero_point=draw(zero_points))
    y = x._replace(shape=padded(shape, pairs))
    contents = data(x, draw(seeds))
    if name == "PAD":
        return case(name, [x, flat(pairs)], [y], contents)
    number = draw(st.integers(-128, 127)) * {"int8": 1, "int16": 251, "int32": 16_000_001}[kind]
    value = x._replace(shape=draw(st.sampled_from([(), (1,)])))
    if draw(st.booleans()):
        return case(name, [x, flat(pairs), value._replace(values=[number])], [y], contents)
    samples = [content + packed([number ^ place], kind) for place, content in enumerate(contents)]
    return case(name, [x, flat(pairs), value], [y], samples)


@st.composite
def mirrors(draw: st.DrawFn) -> Case:
    """Beyond the end any number of elements may be wanted: the first one is repeated."""
    shape = draw(shapes(most=6, size=4))
    mode = draw(st.integers(0, 1))
    pairs = [
        (draw(st.integers(0, size - 1 + mode)), draw(st.sampled_from([0, 0, 1, 2, 5])))
        if draw(st.booleans())
        else (0, 0)
        for size in shape
    ]
    x = Part(shape, zero_point=4)
    operands = [x, flat(pairs, draw(kinds("int32", "int64")))]
    return case("MIRROR_PAD", operands, [x._replace(shape=padded(shape, pairs))], data(x, draw(seeds)), mode=mode)


def mirror(shape: Shape, pairs: Pairs | Part, output: Shape, mode: int = 0, kind: str = "int8") -> bytes:
    paddings = pairs if isinstance(pairs, Part) else flat(pairs)
    return one("MIRROR_PAD", [Part(shape, kind), paddings], [Part(output, kind)], mode=mode)


ROWS = [
    Row("PAD", "any_size", pads("PAD")),
    Row("PADV2", "any_size_and_value", pads("PADV2")),
    Row("MIRROR_PAD", "any_size", mirrors()),
]
PAIRS = [(1, 1), (0, 0)]
THREE = Part((1,), values=[3])
REFUSALS = [
    Refusal("PAD", pad("PAD", (2, 2), [(0, -1), (0, 0)]), "pair of sizes"),
    Refusal("PAD", pad("PAD", (2, 2), [(1, 1)], output=(4, 2)), "pair of sizes"),
    Refusal("PAD", pad("PAD", (2, 2), PAIRS, output=(4, 3)), "does not follow"),
    Refusal("PAD", pad("PAD", (2, 2), PAIRS, dtype="int64"), "int32"),
    Refusal("PAD", pad("PAD", (2, 2), PAIRS, kind="int64"), "input .* is int64"),
    Refusal("PAD", pad("PAD", (1, 1, 1, 1, 1, 2), [(1, 1)] * 6), "1 to 5 dimensions"),
    Refusal("PADV2", pad("PADV2", (2, 2), [(0, 0), (-1, 0)], THREE), "pair of sizes"),
    Refusal("PADV2", pad("PADV2", (2, 2), PAIRS, THREE, output=(4, 3)), "does not follow"),
    Refusal("PADV2", pad("PADV2", (2, 2), PAIRS, THREE._replace(zero_point=5)), "scale and zero point"),
    Refusal("PADV2", pad("PADV2", (2, 2), PAIRS, Part((2,), values=[1, 2])), "must have one element"),
    Refusal("PADV2", pad("PADV2", (2, 2), PAIRS, Part((1,), "int16", [1])), "is int16"),
    Refusal("MIRROR_PAD", mirror((2, 2), [(2, 0), (0, 0)], (4, 2)), "reach beyond"),
    Refusal("MIRROR_PAD", mirror((2, 2), [(3, 0), (0, 0)], (5, 2), mode=1), "reach beyond"),
    Refusal("MIRROR_PAD", mirror((2, 2), [(-1, 1), (0, 0)], (2, 2)), "pair of sizes"),
    Refusal("MIRROR_PAD", mirror((2, 2), [(1, 0)], (3, 2)), "pair of sizes"),
    Refusal("MIRROR_PAD", mirror((2, 2), [(1, 0), (0, 0)], (2, 2)), "does not follow"),
    Refusal("MIRROR_PAD", mirror((2, 2), index((2, 2)), (2, 2)), "must be a constant"),
    Refusal("MIRROR_PAD", mirror((2, 2), [(1, 0), (0, 0)], (3, 2), kind="int16"), "is int16"),
]
