# SPDX-License-Identifier: Apache-2.0
"""Our Python reference against TFLite Micro's interpreter, and how models that neither takes are refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from support.tflite_writer import Model, dense_network

from tinyproof.core.errors import InputFileError
from tinyproof.core.reference.golden import Reference

ALL_BYTES = [bytes([q]) for q in range(256)]


@pytest.mark.parametrize("name", ["neuron", "sine", "wide"])
def test_python_and_tflite_micro_agree_on_all_inputs(lesson_models: dict[str, Path], name: str) -> None:
    tflite = (lesson_models[name] / "model.tflite").read_bytes()
    wheel, python = Reference(tflite, "tflite-micro"), Reference(tflite, "python")
    assert (wheel.name, python.name) == ("tflite-micro", "python")
    assert wheel.run_batch(ALL_BYTES) == python.run_batch(ALL_BYTES)


@pytest.mark.parametrize("seed", range(25))
def test_python_and_tflite_micro_agree_on_random_networks(seed: int) -> None:
    r = random.Random(seed)
    widths = [r.choice([1, 2, 3, 9, 20]) for _ in range(r.randint(2, 5))]
    tflite = dense_network(1000 + seed, widths, rows=r.choice([1, 3]))
    wheel, python = Reference(tflite, "tflite-micro"), Reference(tflite, "python")
    inputs = [r.randbytes(wheel.input_bytes) for _ in range(40)]
    assert wheel.run_batch(inputs) == python.run_batch(inputs)


def test_large_layouts_of_a_small_model_get_their_arena() -> None:
    model = Model()
    x, y = model.input((1, 200_000), 0.1), model.tensor((200_000, 1), 0.1)
    model.add("RESHAPE", [x, model.tensor((2,), values=[200_000, 1], dtype="int32")], [y])
    content = random.Random(1).randbytes(200_000)
    assert Reference(model.build(y)).run(content) == content


def test_an_input_of_the_wrong_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="2 bytes for an input of 1"):
        Reference(dense_network(1, [1, 1])).run(b"ab")


@pytest.mark.parametrize("implementation", ["tflite-micro", "python"])
def test_garbage_is_refused(implementation: str) -> None:
    with pytest.raises(InputFileError, match="not a usable"):
        Reference(b"garbage" * 30, implementation)
