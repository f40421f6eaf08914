# SPDX-License-Identifier: Apache-2.0
"""The sketches in examples/, as they are but for the file that reads a sensor: recorded samples on a simulated Uno."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.consumers import arduino_uno, exported, printed
from support.shared_builds import gestures_build

from tinyproof.core.manifest import read_manifest
from tinyproof.core.paths import ROOT
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.arithmetic import quantize
from tinyproof.train.gestures import CLASSES, SAMPLES, windows

HOP = 8
NANO, ESP32 = "nano33ble_gestures", "esp32_gestures"
ZERO_G_MV, MV_PER_G = np.float32(1650.0), np.float32(330.0)
# What stands for the sketch's own sensor file: the same functions, out of flash.
RECORDED = """
#include <Arduino.h>
static const @type@ recorded[] PROGMEM = {@values@};
static uint16_t at = 0;
@begin@
static bool @read@ {
    if (at == sizeof recorded / sizeof recorded[0]) return false;
    for (uint8_t axis = 0; axis < 3; axis++) to[axis] = @get@(&recorded[at++]);
    return true;
}
"""
SENSORS = {
    NANO: ("imu.h", "float", "pgm_read_float", "static bool imu_begin() { return true; }", "imu_read(float to[3])"),
    ESP32: ("adc.h", "uint16_t", "pgm_read_word", "static void adc_begin() {}", "adc_read(uint16_t to[3])"),
}


@pytest.fixture(scope="module")
def gestures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gestures_build(tmp_path_factory)


def expected(build: Path, g: np.ndarray) -> list[tuple[str, float]]:
    """Label and score of each answer to a stream of samples [n, 3] in g, by the golden reference."""
    manifest = read_manifest(build)
    x, y = manifest.inputs[0], manifest.outputs[0]
    q = bytes(quantize(float(value), x.scale, x.zero_point) & 0xFF for value in g.reshape(-1))
    ends = range(SAMPLES, len(g) + 1, HOP)
    reference = Reference((build / "model.tflite").read_bytes())
    answers = reference.run_batch([q[3 * (end - SAMPLES) : 3 * end] for end in ends])
    scores = [np.frombuffer(answer, np.int8) for answer in answers]
    return [(CLASSES[int(s.argmax())], y.scale * (int(s.max()) - y.zero_point)) for s in scores]


@pytest.mark.nightly
@pytest.mark.parametrize("name", [NANO, ESP32])
def test_a_sketch_names_recorded_gestures(gestures: Path, tmp_path: Path, name: str) -> None:
    exported(gestures, tmp_path / "libraries" / "gestures", "arduino", labels=CLASSES, selftest_bytes=500)
    sketch = shutil.copytree(ROOT / "examples" / name, tmp_path / name)
    x, _ = windows(np.random.default_rng(random.Random(name).randrange(100)), 6)
    g = x.reshape(-1, 3)
    file, kind, get, begin, read = SENSORS[name]
    samples = g.reshape(-1)
    if name == ESP32:
        samples = np.round(samples * MV_PER_G + ZERO_G_MV).astype(np.uint16)
        g = ((samples.astype(np.float32) - ZERO_G_MV) / MV_PER_G).reshape(-1, 3)
    assert (sketch / file).is_file()
    text = RECORDED.replace("@values@", ", ".join(f"{value:.9g}" for value in samples.tolist()))
    for word, value in {"@type@": kind, "@begin@": begin, "@read@": read, "@get@": get}.items():
        text = text.replace(word, value)
    (sketch / file).write_text(text)
    elf = arduino_uno(tmp_path / "libraries", sketch / f"{name}.ino", tmp_path / "build")
    wanted = expected(gestures, g)
    assert len({label for label, _ in wanted}) > 1
    ready, *lines = printed("sim-uno", elf, 1 + len(wanted))
    assert ready == "ready"
    for line, (label, score) in zip(lines, wanted, strict=True):
        said, number = line.split()
        # The scores are 1/256 apart, so that three digits tell the bits.
        assert (said, abs(float(number) - score) < 0.0015) == (label, True), (line, label, score)
