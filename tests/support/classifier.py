# SPDX-License-Identifier: Apache-2.0
"""A classifier as training leaves one: noise drives its softmax to its ends."""

from __future__ import annotations

import random

from support.tflite_writer import Model

WIDTH, HIDDEN, CLASSES = 300, 20, 12


def steep_classifier(seed: int = 3) -> bytes:
    """300 values -> 20 -> 12 classes."""
    r = random.Random(seed)
    model = Model()
    x = model.input((1, WIDTH), 0.05, -5)
    hidden, logits = model.tensor((1, HIDDEN), 1.2, -128), model.tensor((1, CLASSES), 1.0, 4)
    weights = [[r.randint(-127, 127) for _ in range(WIDTH)] for _ in range(HIDDEN)]
    model.add_dense(x, hidden, weights, 0.02, [0] * HIDDEN, fusedActivationFunction=1)
    classes = [[r.randint(-127, 127) for _ in range(HIDDEN)] for _ in range(CLASSES)]
    model.add_dense(hidden, logits, classes, 0.01, [0] * CLASSES)
    y = model.tensor((1, CLASSES), 1 / 256, -128)
    model.add("SOFTMAX", [logits], [y], beta=1.0)
    return model.build(y)
