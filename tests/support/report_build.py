# SPDX-License-Identifier: Apache-2.0
"""A finished build of the lesson's neuron without TensorFlow: its training by NumPy, its .tflite by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy

from support.tflite_writer import Model
from tinyproof.core.board_spec import find_board
from tinyproof.core.config import CheckConfig
from tinyproof.core.data_set import read_dataset
from tinyproof.core.manifest import Expected, Manifest, Tolerance
from tinyproof.core.origin import ModelSource, Neuron, NeuronTraining, TrainingPoints
from tinyproof.core.reference.golden import Reference
from tinyproof.export.export import compile_model
from tinyproof.export.tolerance import CURVE_FILE, float_curve
from tinyproof.host.check import check
from tinyproof.host.check_dataset import check_dataset
from tinyproof.host.check_report import write_report

X = [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
Y = [-3.0, -1.0, 1.0, 3.0, 5.0, 7.0]
STEPS = 500
RATE = 0.01
LAYERS = {
    "engine": {"flash_bytes": 61, "ram_bytes": 32},
    "model": {"flash_bytes": 47, "ram_bytes": 0},
    "protocol": {"flash_bytes": 2100, "ram_bytes": 200},
    "hal": {"flash_bytes": 500, "ram_bytes": 16},
    "app": {"flash_bytes": 300, "ram_bytes": 4},
    "core": {"flash_bytes": 1700, "ram_bytes": 148},
}


def write_trace(build_dir: Path, steps: int = STEPS) -> tuple[float, float]:
    """trace.csv as `train` writes it, by an independent float64 descent; returns the last w and b."""
    x, y, w, b = numpy.array(X), numpy.array(Y), 10.0, -10.0
    lines = ["step,w,b,loss,rmse,grad_w,grad_b"]
    for step in range(steps + 1):
        error = w * x + b - y
        loss = float(numpy.mean(error**2))
        grad_w, grad_b = float(numpy.mean(2 * error * x)), float(numpy.mean(2 * error))
        lines.append(f"{step}," + ",".join(f"{value:.9g}" for value in (w, b, loss, loss**0.5, grad_w, grad_b)))
        last = w, b
        w, b = w - RATE * grad_w, b - RATE * grad_b
    (build_dir / "trace.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return last


def neuron_tflite(w: float, b: float) -> bytes:
    model = Model()
    x_scale, y_scale, w_scale = 20 / 255, 0.158343, w / 127
    x = model.input((1, 1), x_scale, 0)
    weights = model.tensor((1, 1), w_scale, 0, [127])
    bias = model.tensor((1,), x_scale * w_scale, 0, [round(b / (x_scale * w_scale))], "int32")
    y = model.tensor((1, 1), y_scale, 6)
    model.add("FULLY_CONNECTED", [x, weights, bias], [y])
    return model.build(y)


def make_report_build(build_dir: Path) -> Path:
    """Trained, exported and checked on board `reference`; the sizes of `qemu-cortex-m4` are given."""
    build_dir.mkdir(parents=True)
    w, b = write_trace(build_dir)
    manifest = Manifest(
        build_dir.name,
        seeds={"train": 1},
        versions={"tinyproof": "0.1.0", "python": "3.11"},
        training=NeuronTraining(
            kind="neuron", w=w, b=b, rmse_first=13.988, rmse_last=0.044, learning_rate=RATE,
            steps=STEPS, guess=Neuron(10.0, -10.0),
            data=TrainingPoints("the lesson", "", X, Y), rule=Neuron(2.0, -1.0),
        ),
        expected=[Expected([x], [y], "the lesson") for x, y in zip(X, Y, strict=True)],
        tolerance=Tolerance(0.3, {"step": 0.1, "training": 0.2}, "a step and what training left"),
    )  # fmt: skip
    (build_dir / "model.tflite").write_bytes(neuron_tflite(w, b))
    manifest.add_artefact(build_dir / "trace.csv")
    compile_model(build_dir, manifest)
    (build_dir / CURVE_FILE).write_text(float_curve(manifest, lambda x: [w * value + b for value in x]))
    manifest.add_artefact(build_dir / CURVE_FILE)
    manifest.write(build_dir)
    assert check(find_board("reference"), build_dir, None, CheckConfig()).proven
    folder = build_dir / "boards" / "qemu-cortex-m4"
    folder.mkdir()
    size = {
        "board": "qemu-cortex-m4", "engine": "compiled", "model_id": manifest.model_id, "flash_bytes": 4708,
        "ram_bytes": 400, "engine_flash_bytes": 108, "engine_ram_bytes": 32, "layers": LAYERS,
        "ram": {"arena_bytes": 30, "state_bytes": 0, "engine_bytes": 2, "protocol_bytes": 200, "stack_bytes": 128,
                "other_bytes": 40},
        "stack_bound_bytes": None, "stack_bound_why": "main < calls itself", "elf_sha256": "0" * 64,
        "sources": {},
    }  # fmt: skip
    (folder / "build.json").write_text(json.dumps(size), encoding="utf-8")
    return build_dir


CLASSES = 10

COVERAGE = {
    "outputs": CLASSES, "outputs_moving": CLASSES - 1, "faults": 24, "faults_seen": 18,
    "layers": [
        {"operator": 0, "name": "CONV_2D", "channels": 8, "channels_moving": 7, "faults": 14, "faults_seen": 9},
        {"operator": 1, "name": "FULLY_CONNECTED", "channels": 10, "channels_moving": 9, "faults": 10, "faults_seen": 9}
    ],
}  # fmt: skip


def classifier_tflite(classes: int = CLASSES) -> bytes:
    """CONV_2D, FULLY_CONNECTED and SOFTMAX over a series of 16 steps of three signals; named as Keras names tensors."""
    rng = numpy.random.default_rng(5)
    model = Model()
    x = model.input((1, 16, 1, 3), 0.02, 0)
    name = "sequential_1/the_layer_of_a_rather_long_name_that_somebody_gave/convolution"
    filters = model.tensor((8, 3, 1, 3), 0.01, 0, rng.integers(-127, 128, 72).tolist(), name=name)
    bias = model.tensor((8,), 0.0002, 0, rng.integers(-500, 500, 8).tolist(), "int32", name="sequential_1/conv/bias")
    hidden = model.tensor((1, 16, 1, 8), 0.05, -128)
    model.add("CONV_2D", [x, filters, bias], [hidden], fusedActivationFunction=1, strideH=1, strideW=1)
    weights = model.tensor((classes, 128), 0.01, 0, rng.integers(-127, 128, classes * 128).tolist())
    sums = model.tensor((1, classes), 0.1, 0)
    model.add("FULLY_CONNECTED", [hidden, weights], [sums])
    y = model.tensor((1, classes), 1 / 256, -128)
    model.add("SOFTMAX", [sums], [y], beta=1.0)
    return model.build(y)


def make_brought_build(build_dir: Path) -> Path:
    """A classifier that was brought: exported, checked on board `reference` against 6 known answers, profiled and asked
    a data set. Costs and noise of its operators are given."""
    build_dir.mkdir(parents=True)
    tflite = classifier_tflite()
    rng = numpy.random.default_rng(6)
    golden = Reference(tflite)
    expected = []
    for _ in range(6):
        q = rng.integers(-128, 128, 48).astype(numpy.int8)
        y = (numpy.frombuffer(golden.run(q.tobytes()), numpy.int8) + 128.0) / 256 + rng.normal(0, 0.01, CLASSES)
        expected.append(Expected((q * 0.02).tolist(), y.tolist(), "float model, calibration sample"))
    manifest = Manifest(
        build_dir.name,
        source=ModelSource("classifier.tflite", "tflite", "0" * 64),
        expected=expected,
        tolerance=Tolerance(0.3, {"step": 0.3}, "what was measured"),
    )
    (build_dir / "model.tflite").write_bytes(tflite)
    compile_model(build_dir, manifest)
    vectors = json.loads((build_dir / "vectors.json").read_text(encoding="utf-8"))
    (build_dir / "vectors.json").write_text(json.dumps({**vectors, "coverage": COVERAGE}), encoding="utf-8")
    manifest.add_artefact(build_dir / "vectors.json")
    manifest.write(build_dir)
    board = find_board("reference")
    assert check(board, build_dir, None, CheckConfig()).proven
    folder = build_dir / "boards" / "reference"
    size = {
        "board": "reference", "engine": "reference", "model_id": manifest.model_id, "flash_bytes": 4708,
        "ram_bytes": 400, "engine_flash_bytes": 1908, "engine_ram_bytes": 232,
        "layers": {**LAYERS, "model": {"flash_bytes": 1800, "ram_bytes": 0}},
        "ram": {"arena_bytes": 230, "state_bytes": 0, "engine_bytes": 2, "protocol_bytes": 100, "stack_bytes": 28,
                "other_bytes": 40},
        "stack_bound_bytes": None, "stack_bound_why": "main < calls itself", "elf_sha256": "0" * 64,
        "sources": {},
    }  # fmt: skip
    (folder / "build.json").write_text(json.dumps(size), encoding="utf-8")
    costs = [("CONV_2D", [1, 16, 1, 8], 1152, 9_000, 41.9), ("FULLY_CONNECTED", [1, CLASSES], 1280, 1_500, 38.5)]
    costs.append(("SOFTMAX", [1, CLASSES], 0, 500, 30.25))
    operators = [
        {
            "index": index, "name": name, "output": shape, "macs": macs, "ticks": ticks, "share": ticks / 11_000,
            "sqnr_db": sqnr, "noise_added": 0.001 * index, "float_low": -1.5, "float_high": 2.5 + index,
        }
        for index, (name, shape, macs, ticks, sqnr) in enumerate(costs)
    ]  # fmt: skip
    profile = {"model_id": manifest.model_id, "tick_unit": "insn", "ticks": 11_000, "operators": operators}
    profile["noise_samples"] = "gestures.npz"
    (folder / "profile.json").write_text(json.dumps(profile), encoding="utf-8")
    inputs, labels = rng.integers(-128, 128, (40, 48)).astype(numpy.int8), numpy.arange(40) % CLASSES
    numpy.savez(build_dir / "samples.npz", x_q=inputs, y=labels)
    data = read_dataset(build_dir / "samples.npz", manifest.inputs)
    report = check_dataset(board, build_dir, None, CheckConfig(), data)
    assert report.accuracy is not None
    float_answers = list(report.accuracy["answered"])
    float_answers[7] = (float_answers[7] + 1) % CLASSES  # as if int8 changed the class of one sample
    report.float_accuracy = {**report.accuracy, "answered": float_answers}
    write_report(report, board, build_dir)
    return build_dir
