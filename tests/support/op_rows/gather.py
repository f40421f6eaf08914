# SPDX-License-Identifier: Apache-2.0
"""GATHER, GATHER_ND and EMBEDDING_LOOKUP by constants and by what is computed, from tensors and from constants."""

from __future__ import annotations

import math
import random

from hypothesis import strategies as st

from support.op_cases import Case
from support.op_moves import Part, Shape, case, data, index, ints, one, packed, shapes
from support.op_strategies import seeds
from support.op_table import Refusal, Row

Bounds = list[int]


def _case(draw: st.DrawFn, name: str, x: Part, names: Shape, bounds: Bounds, output: Shape, **options: int) -> Case:
    """Indices below `bounds`, in turn. Data and indices are each an input or a constant, not both a constant."""
    source = random.Random(draw(seeds))

    def choose() -> list[int]:
        return [source.randrange(bounds[place % len(bounds)]) for place in range(math.prod(names))]

    fixed, known = draw(st.sampled_from([(True, False), (False, True), (False, False)]))
    indices = Part(names, "int32", choose() if fixed else None, None)
    if known:
        x = x._replace(values=[source.randint(-128, 127) for _ in range(math.prod(x.shape))])
    contents = [b""] * 4 if known else data(x, source.randrange(1000))
    chosen = [b"" if fixed else packed(choose()) for _ in contents]
    first_index = name == "EMBEDDING_LOOKUP"
    samples = [i + content if first_index else content + i for content, i in zip(contents, chosen, strict=True)]
    operands = [indices, x] if first_index else [x, indices]
    return case(name, operands, [Part(output, scale=0.25)], samples, **options)


@st.composite
def gathers(draw: st.DrawFn) -> Case:
    shape, own = draw(shapes(size=4)), draw(shapes(least=0, most=2, size=4))
    axis = draw(st.integers(0, len(shape) - 1))
    batch_dims = draw(st.sampled_from([0, 0, axis, axis // 2]))
    names = (*shape[:batch_dims], *own)
    output = (*shape[:axis], *own, *shape[axis + 1 :])
    signed = axis - draw(st.sampled_from([0, len(shape)]))
    batches = batch_dims - len(names) if batch_dims < len(names) and draw(st.booleans()) else batch_dims
    return _case(draw, "GATHER", Part(shape), names, [shape[axis]], output, axis=signed, batchDims=batches)


@st.composite
def gathers_nd(draw: st.DrawFn) -> Case:
    shape, names = draw(shapes(most=6, size=3)), draw(shapes(least=0, most=3, size=3))
    depth = draw(st.integers(1, min(5, len(shape))))
    output = (*names, *shape[depth:])
    return _case(draw, "GATHER_ND", Part(shape), (*names, depth), list(shape[:depth]), output)


@st.composite
def lookups(draw: st.DrawFn) -> Case:
    shape = draw(shapes(least=2))
    count = draw(st.integers(1, 5))
    return _case(draw, "EMBEDDING_LOOKUP", Part(shape), (count,), [shape[0]], (count, *shape[1:]))


ROWS = [
    Row("GATHER", "any_axis", gathers()),
    Row("GATHER_ND", "any_depth", gathers_nd()),
    Row("EMBEDDING_LOOKUP", "any_rows", lookups()),
]


def _gather(names: Part, output: Shape, axis: int = 0, batch_dims: int = 0, kind: str = "int8") -> bytes:
    x, y = Part((2, 3), kind), Part(output, kind)
    return one("GATHER", [x, names], [y], axis=axis, batchDims=batch_dims)


def _nd(names: Part, output: Shape, kind: str = "int8") -> bytes:
    return one("GATHER_ND", [Part((2, 3), kind), names], [Part(output, kind)])


def _lookup(names: Part, output: Shape, kind: str = "int8", shape: Shape = (2, 3), made: str = "int8") -> bytes:
    return one("EMBEDDING_LOOKUP", [names, Part(shape, kind)], [Part(output, made)])


def _names(shape: Shape, *values: int) -> Part:
    return Part(shape, "int32", values, None)


REFUSALS = [
    Refusal("GATHER", _gather(ints(0), (1, 3), axis=2), "axis 2 does not exist"),
    Refusal("GATHER", _gather(ints(0, 2), (2, 3)), "index .2. is not within"),
    Refusal("GATHER", _gather(ints(-1), (1, 3)), "index .-1. is not within"),
    Refusal("GATHER", _gather(ints(0), (2, 3)), "does not follow"),
    Refusal("GATHER", _gather(ints(0), (1, 3), batch_dims=1), "no 1 batch dimensions"),
    Refusal("GATHER", _gather(index((1,), "int64"), (1, 3)), "is int64"),
    Refusal("GATHER", _gather(ints(0), (1, 3), kind="int16"), "is int16"),
    Refusal("GATHER_ND", _nd(_names((1, 3), 0, 0, 0), (1,)), "must name 1 to 5"),
    Refusal("GATHER_ND", _nd(_names((1, 2), 2, 0), (1,)), "is not within"),
    Refusal("GATHER_ND", _nd(_names((1, 2), 0, -1), (1,)), "is not within"),
    Refusal("GATHER_ND", _nd(_names((1, 2), 0, 1), (1, 2)), "does not follow"),
    Refusal("GATHER_ND", _nd(_names((1, 2), 0, 1), (1,), "int16"), "is int16"),
    Refusal("EMBEDDING_LOOKUP", _lookup(ints(2), (1, 3)), "is not within"),
    Refusal("EMBEDDING_LOOKUP", _lookup(_names((1, 1), 0), (1, 1, 3)), "a list of indices"),
    Refusal("EMBEDDING_LOOKUP", _lookup(ints(0), (1, 2)), "does not follow"),
    Refusal("EMBEDDING_LOOKUP", _lookup(ints(0), (1,), shape=(2,)), "a list of indices"),
    Refusal("EMBEDDING_LOOKUP", _lookup(ints(0), (1, 3), "int16"), "is int16"),
]
