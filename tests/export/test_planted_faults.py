# SPDX-License-Identifier: Apache-2.0
"""Faults that noise does not see, planted into an engine: the vectors of a default export find each of them."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support import effort
from support.classifier import CLASSES, HIDDEN, WIDTH, steep_classifier
from support.compiled import compiled
from support.native import ENGINE, changed_engine, different_bits
from support.tflite_writer import Model

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.constants import data_offsets
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.compiled import read_compiled
from tinyproof.faults.bits import NumberFaults
from tinyproof.faults.native.engine import NativeEngine, Questions
from tinyproof.host.expected import read_vectors

DAILY_SEED = 1
MORE = 200  # random inputs beyond the budget, to tell what can be found at all
Damage = Callable[[bytearray, int, int], None]  # the .tflite, and where the last layer's weights and biases lie


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("sound") / "net", steep_classifier())


def rows_zeroed(tflite: bytearray, weights: int, biases: int) -> None:
    """8 of 12 classes compute nothing."""
    tflite[weights : weights + 8 * HIDDEN] = bytes(8 * HIDDEN)


def classes_swapped(first: int) -> Damage:
    def damage(tflite: bytearray, weights: int, biases: int) -> None:
        for start, size in ((weights, HIDDEN), (biases, 4)):
            a, b = start + first * size, start + (first + 1) * size
            tflite[a : a + size], tflite[b : b + size] = tflite[b : b + size], tflite[a : a + size]

    return damage


def last_layer(tflite: bytes) -> tuple[int, int]:
    graph, offsets = read_graph(tflite), data_offsets(tflite)
    dense = [operator for operator in graph.operators if operator.name == "FULLY_CONNECTED"][-1]
    return offsets[dense.inputs[1]], offsets[dense.inputs[2]]


@pytest.mark.parametrize(
    "damage", [rows_zeroed, classes_swapped(0), classes_swapped(2)], ids=["zeroed", "swapped 0, 1", "swapped 2, 3"]
)
def test_tables_of_another_model_are_found(sound: Path, tmp_path: Path, damage: Damage) -> None:
    tflite = bytearray((sound / "model.tflite").read_bytes())
    damage(tflite, *last_layer(bytes(tflite)))
    other = compiled(tmp_path / "net", bytes(tflite))
    shutil.copy(sound / "vectors.json", other)
    assert different_bits(other) > 0


def wrong_bits(build_dir: Path, tmp_path: Path, file: str, right: str, wrong: str) -> int:
    """How many vectors differ where `wrong` stands in a kernel instead of `right`."""
    assert (ENGINE / file).read_text().count(right) == 1
    folder = Path(shutil.copytree(build_dir, tmp_path / "copy"))
    return different_bits(folder, changed_engine(tmp_path, file, right, wrong))


def test_a_softmax_that_leaves_class_0_out_of_its_sum_is_found(sound: Path, tmp_path: Path) -> None:
    right = "if (distance < exponentials_count) {"
    assert wrong_bits(sound, tmp_path, "kernels/softmax.h", right, right.replace(") {", " && (i || !distance)) {")) > 0


def test_rounding_without_ties_away_from_zero_is_found(tmp_path: Path) -> None:
    r, model = random.Random(9), Model()
    x, y = model.input((1, WIDTH), 0.05, -5), model.tensor((1, 64), 0.1, 3)
    model.add_dense(x, y, [[r.randint(-3, 3) for _ in range(WIDTH)] for _ in range(64)], 0.02, [0] * 64)
    build_dir = compiled(tmp_path / "net", model.build(y))
    assert wrong_bits(build_dir, tmp_path, "kernels/pairs.h", "(t - (t < 0 ? 1 : 0))", "t") > 0


def test_the_sound_engine_passes(sound: Path, tmp_path: Path) -> None:
    shutil.copytree(sound, tmp_path / "net")
    assert different_bits(tmp_path / "net") == 0


def compare(build_dir: Path, folder: Path, count: int, seed: int) -> dict[str, int]:
    """Of `count` bits flipped in the tables: how many can be found at all, by the vectors, and by as many random
    inputs. Killable is what either of them finds, or one of MORE random ones."""
    vectors = read_vectors(build_dir).pairs
    program = read_compiled(build_dir)
    reference, source = Reference((build_dir / "model.tflite").read_bytes()), random.Random(seed)
    noise = [source.randbytes(reference.input_bytes) for _ in range(len(vectors) + MORE)]
    answers = reference.run_batch(noise)
    asked = {
        "chosen": ([x for x, _ in vectors], [y for _, y in vectors]),
        "random": (noise[: len(vectors)], answers[: len(vectors)]),
        "more": (noise, answers),
    }
    seen: dict[str, list[bool]] = {}
    for name, (inputs, outputs) in asked.items():
        questions = Questions(inputs, outputs, [False] * len(inputs), [], sequence=False)
        engine = NativeEngine(program.program, program.plan, program.unit, folder / name, (), questions)
        engine.check_sound()
        numbers = NumberFaults(program.program, engine.regions)
        faults = [
            fault
            for kind in ("weights", "biases", "multipliers", "shifts")
            for fault in numbers.sample(kind, count // 4, random.Random(seed))
        ]
        planted = engine.plant([(fault.operator or 0, fault.changes) for fault in faults], lambda done: None)
        seen[name] = [one.by_output is not None for one in planted]
    killable = sum(map(any, zip(*seen.values(), strict=True)))
    return {"killable": killable, "chosen": sum(seen["chosen"]), "random": sum(seen["random"])}


def test_a_sample_of_bits_in_the_tables_is_found_more_often_than_by_noise(sound: Path, tmp_path: Path) -> None:
    seed = random.SystemRandom().getrandbits(32) if effort.nightly else DAILY_SEED
    scores = compare(sound, tmp_path, 400, seed)
    print(f"seed {seed}: {scores}")
    assert scores["killable"] > 100
    assert scores["chosen"] > scores["random"], f"seed {seed}: {scores}"


def test_noise_hardly_moves_the_outputs_of_this_model(sound: Path) -> None:
    """Otherwise the above would say little."""
    reference = Reference((sound / "model.tflite").read_bytes())
    answers = [reference.run(random.Random(number).randbytes(WIDTH)) for number in range(32)]
    chosen = [bytes.fromhex(vector["out"]) for vector in json.loads((sound / "vectors.json").read_text())["vectors"]]

    def between(rows: list[bytes]) -> float:
        return sum(byte not in (0x80, 0x7F) for row in rows for byte in row) / (len(rows) * CLASSES)

    assert between(chosen) > 2 * between(answers)
