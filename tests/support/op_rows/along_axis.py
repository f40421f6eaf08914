# SPDX-License-Identifier: Apache-2.0
"""ARG_MAX, ARG_MIN and CUMSUM along any dimension."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from support.op_cases import Case, edge_inputs
from support.op_strategies import Quantization, float32, quantizations, seeds, zero_points
from support.op_table import Refusal, Row
from support.tflite_writer import Model

Shape = tuple[int, ...]


def along(
    name: str,
    shape: Shape,
    axis: int,
    x: Quantization = (0.5, 0),
    y: Quantization = (0.5, 0),
    output: Shape | None = None,
    dtype: str = "int8",
    output_type: str | None = None,
    **options: Any,
) -> bytes:
    model = Model()
    source = model.input(shape, *x, dtype=dtype)
    place = model.tensor((), values=[axis], dtype="int32")
    if name == "CUMSUM":
        target = model.tensor(shape if output is None else output, *y, dtype=dtype)
    else:
        dropped = tuple(n for i, n in enumerate(shape) if i != axis % len(shape))
        target = model.tensor(dropped if output is None else output, dtype=output_type or "int32")
    model.add(name, [source, place], [target], **options)
    return model.build(target)


@st.composite
def places(draw: st.DrawFn, longest: int = 9) -> tuple[Shape, int]:
    rank = draw(st.integers(1, 6))
    shape = tuple(draw(st.lists(st.integers(1, longest if rank < 4 else 4), min_size=rank, max_size=rank)))
    return shape, draw(st.integers(-rank, rank - 1))


@st.composite
def arg_extremes(draw: st.DrawFn, name: str) -> Case:
    shape, axis = draw(places())
    tflite = along(name, shape, axis, draw(quantizations()))
    return Case(f"{name} {shape} {axis}", tflite, edge_inputs(math.prod(shape), draw(seeds), 5))


@st.composite
def cumsums(draw: st.DrawFn) -> Case:
    """As many elements as TFLite Micro's sums hold, at most."""
    shape, axis = draw(places(32))
    zero = draw(zero_points)
    most = (4095 - abs(zero)) // max(127 - zero, 128 + zero)
    dimension = axis % len(shape)
    shape = (*shape[:dimension], min(shape[dimension], most), *shape[dimension + 1 :])
    x = (draw(quantizations())[0], zero)
    y = (float32(x[0] * draw(st.sampled_from([0.03, 0.5, 1.0, 1.3, 9.0]))), draw(zero_points))
    options: dict[str, Any] = {"exclusive": draw(st.booleans()), "reverse": draw(st.booleans())}
    tflite = along("CUMSUM", shape, axis, x, y, **options)
    label = f"CUMSUM {shape} {axis} {options}: {x} -> {y}"
    return Case(label, tflite, edge_inputs(math.prod(shape), draw(seeds), 5), aliased=draw(st.booleans()))


ROWS = [
    Row("ARG_MAX", "any_axis", arg_extremes("ARG_MAX")),
    Row("ARG_MIN", "any_axis", arg_extremes("ARG_MIN")),
    Row("CUMSUM", "any_axis", cumsums(), programs=2),
]
REFUSALS = [
    *(
        Refusal(name, tflite, says)
        for name in ("ARG_MAX", "ARG_MIN")
        for tflite, says in (
            (along(name, (2, 3), 2, output=(2,)), "does not fit"),
            (along(name, (2, 3), 1, output=(3,)), "does not follow"),
            (along(name, (2, 3), 1, dtype="int16"), "is int16"),
            (along(name, (2, 3), 1, output_type="int64"), "is int64"),
        )
    ),
    Refusal("CUMSUM", along("CUMSUM", (2, 3), -3), "does not fit"),
    Refusal("CUMSUM", along("CUMSUM", (1, 1, 1, 1, 1, 1, 2), 0), "dimensions"),
    Refusal("CUMSUM", along("CUMSUM", (2, 3), 1, output=(3, 2)), "same shape"),
    Refusal("CUMSUM", along("CUMSUM", (2, 3), 1, dtype="int16"), "is int16"),
    Refusal("CUMSUM", along("CUMSUM", (1, 32), 1), "sums 32 elements"),
    Refusal("CUMSUM", along("CUMSUM", (2, 3), 1, y=(1e-7, 0)), "rescales"),
]
