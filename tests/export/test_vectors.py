# SPDX-License-Identifier: Apache-2.0
"""Vectors that an export chooses: they see what random bytes do not, and the coverage says how much they see."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest
from support.classifier import CLASSES, WIDTH, steep_classifier
from support.compiled import compiled
from support.streaming import StreamingNet
from support.tflite_writer import Model, dense_network

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.constants import data_offsets
from tinyproof.core.tflite.ends import device_ends
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.vectors.choosing import VECTORS_LARGE, format_vectors, make_vectors
from tinyproof.export.vectors.coverage import measure


def chosen(tflite: bytes, seed: int = 1, **options: Any) -> dict[str, Any]:
    graph = read_graph(tflite)
    return make_vectors(tflite, graph, Reference(tflite, graph=graph), seed, macs=20_000, **options)


def inputs_of(document: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(vector["in"]) for vector in document["vectors"]]


def seen(tflite: bytes, inputs: list[bytes], faults: int = 150) -> dict[str, Any]:
    graph = read_graph(tflite)
    outputs = Reference(tflite).run_batch(inputs)
    return measure(tflite, graph, device_ends(graph), inputs, outputs, seed=77, faults=faults).as_dict()


@pytest.fixture(scope="module")
def steep() -> tuple[bytes, list[bytes]]:
    tflite = steep_classifier()
    return tflite, inputs_of(chosen(tflite))


def test_they_show_more_faults_than_noise_does(steep: tuple[bytes, list[bytes]]) -> None:
    tflite, inputs = steep
    noise = [random.Random(number).randbytes(WIDTH) for number in range(VECTORS_LARGE)]
    ours, random_bytes = seen(tflite, inputs), seen(tflite, noise)
    assert len(inputs) == VECTORS_LARGE
    assert ours["faults_seen"] > random_bytes["faults_seen"]
    assert ours["outputs_moving"] == CLASSES


def test_half_as_many_show_less(steep: tuple[bytes, list[bytes]]) -> None:
    tflite, inputs = steep
    counts = [seen(tflite, inputs[:count])["faults_seen"] for count in (32, 16, 8, 4, 2, 1)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] > counts[4]


def test_the_same_seed_gives_the_same_text_and_another_seed_others() -> None:
    tflite = dense_network(4, (300, 6, 3))
    first = format_vectors(chosen(tflite, 1))
    assert format_vectors(chosen(tflite, 1)) == first
    assert json.loads(first)["vectors"] != chosen(tflite, 2)["vectors"]


def test_a_users_samples_are_among_those_that_are_chosen_from() -> None:
    tflite = dense_network(4, (300, 6, 3))
    samples = [bytes([number] * 300) for number in range(40, 60)]
    assert set(samples) & set(inputs_of(chosen(tflite, samples=samples)))


def test_a_model_with_state_gets_frames_of_every_kind_and_is_measured_in_their_order() -> None:
    tflite = StreamingNet(1).build()
    document = chosen(tflite)
    inputs = inputs_of(document)
    assert document["kind"] == "sequence"
    assert len(inputs) == 256
    assert [vector["out"] for vector in document["vectors"]] == [y.hex() for y in Reference(tflite).run_batch(inputs)]
    assert any(a == b for a, b in itertools.pairwise(inputs))


def test_every_value_of_one_byte_is_asked(tmp_path: Path) -> None:
    document = chosen(dense_network(8, (1, 4, 1)))
    assert (document["kind"], len(document["vectors"])) == ("exhaustive", 256)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_several_inputs_differ_from_each_other(dtype: str) -> None:
    model = Model()
    a, b = (model.input((1, 200), 0.1, 0, dtype) for _ in range(2))
    y = model.tensor((1, 200), 0.2, 0, dtype=dtype)
    model.add("ADD", [a, b], [y])
    document = chosen(model.build(y))
    half = len(inputs_of(document)[0]) // 2
    assert sum(x[:half] != x[half:] for x in inputs_of(document)) > VECTORS_LARGE // 2
    assert document["coverage"]["layers"] == []
    assert document["coverage"]["outputs_moving"] == document["coverage"]["outputs"]


def test_data_lie_where_they_are_said_to() -> None:
    tflite = steep_classifier()
    graph = read_graph(tflite)
    offsets = data_offsets(tflite)
    constants = {tensor.index: tensor.data for tensor in graph.tensors if tensor.data}
    assert offsets.keys() == constants.keys()
    for index, data in constants.items():
        assert tflite[offsets[index] : offsets[index] + len(data)] == data


def test_an_export_writes_what_was_measured(tmp_path: Path) -> None:
    folder = compiled(tmp_path / "net", dense_network(4, (300, 6, 3)))
    coverage = json.loads((folder / "vectors.json").read_text())["coverage"]
    assert [layer["name"] for layer in coverage["layers"]] == ["FULLY_CONNECTED"] * 2
    assert 0 < coverage["faults_seen"] <= coverage["faults"] == sum(layer["faults"] for layer in coverage["layers"])
