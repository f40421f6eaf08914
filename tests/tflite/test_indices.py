# SPDX-License-Identifier: Apache-2.0
"""Random inputs are brought within what their indices name: TFLite Micro would give up, or end the process."""

from __future__ import annotations

import random

import pytest
from support.op_cases import Case, assert_bit_exact
from support.op_moves import Part, index, ints, one, packed
from support.tflite_writer import Model

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.dtypes import unpack
from tinyproof.core.tflite.indices import index_ranges
from tinyproof.core.tflite.reader import read_graph

ROWS = Part((3, 2), values=[1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize(
    "tflite",
    [
        one("GATHER", [ROWS, index((4,))], [Part((3, 4))], axis=-1),
        one("EMBEDDING_LOOKUP", [index((4,)), ROWS], [Part((4, 2))]),
        one("GATHER_ND", [ROWS, index((4, 2))], [Part((4,))]),
        one("SLICE", [Part((3, 4)), index((2,)), ints(2, 2)], [Part((2, 2))]),
        one("SLICE", [Part((3, 4)), index((2,), "int64"), index((2,), "int64")], [Part((2, 2))]),
        one("REVERSE_V2", [Part((3, 4, 2)), index((2,))], [Part((3, 4, 2))]),
        one("BROADCAST_ARGS", [index((2,)), index((3,))], [index((3,))]),
    ],
    ids=["GATHER", "EMBEDDING_LOOKUP", "GATHER_ND", "begin", "begin_and_size", "REVERSE_V2", "BROADCAST_ARGS"],
)
def test_any_bytes_become_an_input(tflite: bytes) -> None:
    reference = Reference(tflite)
    size, source = reference.input_bytes, random.Random(1)
    wild = [bytes([0x80]) * size, bytes([0x7F]) * size, *(source.randbytes(size) for _ in range(5))]
    tame = [reference.admit(x) for x in wild]
    assert tame != wild
    assert [reference.admit(x) for x in tame] == tame
    assert_bit_exact([Case("tame", tflite, tuple(tame))])


def test_indices_are_known_under_another_shape_and_by_the_narrowest_reader() -> None:
    model = Model()
    names = model.input((2, 2), dtype="int32")
    flat = model.tensor((4,), dtype="int32")
    model.add("RESHAPE", [names], [flat])
    outputs = []
    for rows in (5, 3):
        table = model.tensor((rows, 1), 0.5, values=list(range(rows)))
        outputs.append(model.tensor((4, 1), 0.5))
        model.add("EMBEDDING_LOOKUP", [flat, table], outputs[-1:])
    tflite = model.build(*outputs)
    assert index_ranges(read_graph(tflite)) == {names: (range(3),)}
    assert unpack(Reference(tflite).admit(packed([3, -1, 2, 7])), "int32") == (0, 2, 2, 1)


def test_data_is_left_alone() -> None:
    reference = Reference(one("DYNAMIC_UPDATE_SLICE", [Part((3,)), Part((1,)), index((1,))], [Part((3,))]))
    wild = random.Random(2).randbytes(reference.input_bytes)
    assert reference.admit(wild) == wild


def test_an_index_that_names_nothing_is_told() -> None:
    reference = Reference(one("EMBEDDING_LOOKUP", [index((1,)), ROWS], [Part((1, 2))]), "tflite-micro")
    with pytest.raises(InputFileError, match="gives up on an input"):
        reference.run(packed([3]))


def test_truths_are_brought_to_0_or_1() -> None:
    model = Model()
    x, y = model.input((4,), dtype="bool"), model.tensor((4,), dtype="bool")
    model.add("LOGICAL_NOT", [x], [y])
    assert Reference(model.build(y)).admit(bytes([0, 1, 0x7F, 0x80])) == bytes([0, 1, 1, 0])
