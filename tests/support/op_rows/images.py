# SPDX-License-Identifier: Apache-2.0
"""Resizing by every rule, and blocks of space exchanged for depth or batch."""

from __future__ import annotations

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_moves import Part, Shape, case, data, index, ints, kinds, one
from support.op_strategies import seeds
from support.op_table import Refusal, Row

small = st.integers(1, 4)


@st.composite
def resizes(draw: st.DrawFn, name: str) -> Case:
    kind = draw(kinds("int8", "int16")) if name == "RESIZE_NEAREST_NEIGHBOR" else "int8"
    sides = st.one_of(small, st.integers(1, 12))
    x = Part((draw(st.integers(1, 2)), draw(sides), draw(sides), draw(small)), kind)
    size = (draw(sides), draw(sides))
    aligned, centred = draw(st.sampled_from([(False, False), (True, False), (False, True), (True, True)]))
    if name == "RESIZE_BILINEAR":
        centred = centred and not aligned
    y = x._replace(shape=(x.shape[0], *size, x.shape[3]))
    flags = {"alignCorners": aligned, "halfPixelCenters": centred}
    return case(name, [x, ints(*size)], [y], data(x, draw(seeds)), **flags)


@st.composite
def depths(draw: st.DrawFn, name: str) -> Case:
    block = draw(st.integers(1, 3))
    batches, height, width, depth = (draw(small) for _ in range(4))
    near, far = (batches, height, width, depth * block * block), (batches, height * block, width * block, depth)
    x, y = (Part(far), Part(near)) if name == "SPACE_TO_DEPTH" else (Part(near), Part(far))
    return case(name, [x], [y], data(x, draw(seeds)), blockSize=block)


@st.composite
def batches(draw: st.DrawFn, name: str) -> Case:
    """Of images and of lists. What is divided has been cropped of nothing: there is no padding (see the refusals)."""
    spatial = draw(st.integers(1, 2))
    blocks = [draw(st.integers(1, 3)) for _ in range(spatial)]
    several = 1
    for block in blocks:
        several *= block
    count, depth = draw(small), draw(small)
    places = [draw(small) for _ in range(spatial)]
    crops = [0] * (2 * spatial)
    whole = [size * block for size, block in zip(places, blocks, strict=True)]
    if name == "BATCH_TO_SPACE_ND":
        for k, size in enumerate(whole):
            crops[2 * k] = draw(st.integers(0, size - 1))
            crops[2 * k + 1] = draw(st.integers(0, size - 1 - crops[2 * k]))
    left = [size - crops[2 * k] - crops[2 * k + 1] for k, size in enumerate(whole)]
    many, one_image = Part((count * several, *places, depth)), Part((count, *left, depth))
    x, y = (many, one_image) if name == "BATCH_TO_SPACE_ND" else (one_image, many)
    pairs = Part((spatial, 2), "int32", crops, None)
    return case(name, [x, ints(*blocks), pairs], [y], data(x, draw(seeds)))


ROWS = [
    *(Row(name, "every_rule", resizes(name), count=60) for name in ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR")),
    *(Row(name, "any_block", depths(name), count=25) for name in ("SPACE_TO_DEPTH", "DEPTH_TO_SPACE")),
    *(Row(name, "any_block", batches(name)) for name in ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")),
]


def _resize(
    name: str, size: Part, output: Shape, shape: Shape = (1, 2, 2, 1), kind: str = "int8", both: bool = False
) -> bytes:
    flags = {"alignCorners": both, "halfPixelCenters": both}
    return one(name, [Part(shape, kind), size], [Part(output, kind)], **flags)


def _depth(name: str, shape: Shape, output: Shape, block: int, kind: str = "int8") -> bytes:
    return one(name, [Part(shape, kind)], [Part(output, kind)], blockSize=block)


def _batch(name: str, shape: Shape, output: Shape, blocks: Part, pairs: list[int], kind: str = "int8") -> bytes:
    return one(name, [Part(shape, kind), blocks, ints(*pairs)], [Part(output, kind)])


def _resizing(name: str, wide: str) -> list[Refusal]:
    return [
        Refusal(name, _resize(name, ints(4, 4), (1, 4, 3, 1)), "does not follow"),
        Refusal(name, _resize(name, ints(4), (1, 4, 4, 1)), "a height and a width"),
        Refusal(name, _resize(name, index((2,)), (1, 4, 4, 1)), "must be a constant"),
        Refusal(name, _resize(name, ints(4, 4), (1, 4, 4, 1), kind=wide), f"is {wide}"),
        Refusal(name, _resize(name, ints(4, 4), (4, 4, 1), (2, 2, 1)), "4 dimensions"),
    ]


REFUSALS = [
    *_resizing("RESIZE_NEAREST_NEIGHBOR", "int32"),
    *_resizing("RESIZE_BILINEAR", "int16"),
    Refusal("RESIZE_BILINEAR", _resize("RESIZE_BILINEAR", ints(2, 2), (1, 2, 2, 1), both=True), "at once"),
    Refusal("RESIZE_BILINEAR", _resize("RESIZE_BILINEAR", ints(1, 3000), (1, 1, 3000, 1)), "reads beyond"),
    Refusal("RESIZE_BILINEAR", _resize("RESIZE_BILINEAR", ints(1, 5000), (1, 1, 5000, 1)), "the most is"),
    Refusal("RESIZE_NEAREST_NEIGHBOR", _resize("RESIZE_NEAREST_NEIGHBOR", ints(1, 70000), (1, 1, 70000, 1)), "over"),
    Refusal("SPACE_TO_DEPTH", _depth("SPACE_TO_DEPTH", (1, 3, 2, 1), (1, 1, 1, 4), 2), "cannot be divided"),
    Refusal("SPACE_TO_DEPTH", _depth("SPACE_TO_DEPTH", (1, 2, 2, 1), (1, 1, 2, 2), 2), "does not follow"),
    Refusal("SPACE_TO_DEPTH", _depth("SPACE_TO_DEPTH", (1, 2, 2, 1), (1, 2, 2, 1), 0), "does not fit"),
    Refusal("SPACE_TO_DEPTH", _depth("SPACE_TO_DEPTH", (2, 2, 1), (1, 1, 4), 2), "4 dimensions"),
    Refusal("SPACE_TO_DEPTH", _depth("SPACE_TO_DEPTH", (1, 2, 2, 1), (1, 1, 1, 4), 2, "int16"), "is int16"),
    Refusal("DEPTH_TO_SPACE", _depth("DEPTH_TO_SPACE", (1, 1, 1, 3), (1, 2, 2, 1), 2), "cannot be divided"),
    Refusal("DEPTH_TO_SPACE", _depth("DEPTH_TO_SPACE", (1, 1, 1, 4), (1, 1, 4, 1), 2), "does not follow"),
    Refusal("DEPTH_TO_SPACE", _depth("DEPTH_TO_SPACE", (1, 1, 1, 4), (1, 1, 1, 4), -1), "does not fit"),
    Refusal("DEPTH_TO_SPACE", _depth("DEPTH_TO_SPACE", (1, 1, 1, 4), (1, 2, 2, 1), 2, "int16"), "is int16"),
    Refusal("SPACE_TO_BATCH_ND", _batch("SPACE_TO_BATCH_ND", (1, 3, 1), (2, 2, 1), ints(2), [0, 1]), "never sets"),
    Refusal("SPACE_TO_BATCH_ND", _batch("SPACE_TO_BATCH_ND", (1, 3, 1), (2, 2, 1), ints(2), [0, 0]), "cannot be"),
    Refusal("SPACE_TO_BATCH_ND", _batch("SPACE_TO_BATCH_ND", (1, 4, 1), (2, 2, 1), ints(2, 1), [0, 0]), "needs"),
    Refusal("SPACE_TO_BATCH_ND", _batch("SPACE_TO_BATCH_ND", (1, 4, 1), (2, 1, 1), ints(2), [0, 0]), "not follow"),
    Refusal("SPACE_TO_BATCH_ND", _batch("SPACE_TO_BATCH_ND", (4, 1), (4, 1), ints(2), [0, 0]), "3 to 4 dimensions"),
    Refusal("SPACE_TO_BATCH_ND", _batch("SPACE_TO_BATCH_ND", (1, 4, 1), (2, 2, 1), index((1,)), [0, 0]), "constant"),
    Refusal("BATCH_TO_SPACE_ND", _batch("BATCH_TO_SPACE_ND", (3, 2, 1), (1, 4, 1), ints(2), [0, 0]), "cannot be"),
    Refusal("BATCH_TO_SPACE_ND", _batch("BATCH_TO_SPACE_ND", (2, 2, 1), (1, 4, 1), ints(2), [0, 1]), "not follow"),
    Refusal("BATCH_TO_SPACE_ND", _batch("BATCH_TO_SPACE_ND", (2, 2, 1), (1, 4, 1), ints(0), [0, 0]), "needs"),
    Refusal("BATCH_TO_SPACE_ND", _batch("BATCH_TO_SPACE_ND", (2, 2, 1), (1, 4, 1), ints(2), [-1, 1]), "needs"),
    Refusal("BATCH_TO_SPACE_ND", _batch("BATCH_TO_SPACE_ND", (2, 2, 1), (1, 4, 1), ints(2), [0, 0], "bool"), "bool"),
]
