# SPDX-License-Identifier: Apache-2.0
"""What a convolution costs on a Cortex-M4 follows from its shape, not from its weights.

Layers are drawn anew each time; the emulator counts instructions exactly, and every answer is TFLite Micro's.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import pytest
from support.cortex_m4 import count_instructions
from support.effort import examples
from support.op_cases import Case, edge_inputs
from support.op_rows.convolution import SAME, VALID, Layer, build

CHANNELS = (1, 3, 4, 5, 8, 10, 16, 17, 32)
KERNELS = ((1, 1), (3, 3), (3, 3), (3, 3), (5, 5), (1, 5), (7, 7), (10, 8))
LEAST_OUTPUTS = 64  # of a layer: with fewer the calls weigh more than the sums
# What training, or somebody hostile, leaves in a layer of the same shape.
HOSTILE: dict[str, dict[str, Any]] = {
    "dead channels": {"dead": 3},
    "lowest weights": {"lowest": -128},
    "no shift to the right": {"y": (0.0002, 3)},
    "a narrow clamp": {"activation": 3, "y": (0.1, -20)},
    "all of it": {"dead": 2, "lowest": -128, "activation": 3, "y": (0.0004, -128)},
}
# Of what a layer of ordinary weights costs: for what weights do, and an output more for shifts and clamps.
MOST_TIMES, MOST_PER_OUTPUT = 1.13, 8.0
# Instructions of an output: 12, and one for 0.6 multiply-accumulates; small kernels take up to so many times that, most
# those that make some 70 outputs in all, which a call's beginning weighs on. Of 960 layers the worst took 3.25.
FREE, MACS_PER_INSTRUCTION, MOST_OF_LIMIT = 12.0, 0.6, 3.5


def draw_layer(source: random.Random) -> Layer:
    """Of an ordinary shape, with ordinary weights."""
    while True:
        channels, kernel = source.choice(CHANNELS), source.choice(KERNELS)
        multiplier = source.choice((0, 0, 1, 1, 2, 8))
        units = channels * multiplier or source.choice(CHANNELS[1:])
        dilation = source.choice((1, 1, 1, 1, 2)) if max(kernel) < 7 else 1
        layer = Layer(
            (1, source.randint(8, 20), source.randint(8, 20), channels),
            kernel,
            units,
            multiplier,
            strides=(1, 1) if dilation > 1 else (source.choice((1, 1, 1, 2)),) * 2,
            dilations=(dilation, dilation),
            padding=source.choice((SAME, SAME, VALID)),
            y=(0.05, -4),
            seed=source.getrandbits(32),
        )
        outputs = layer.outputs()
        macs = math.prod(outputs) * layer.depth if min(outputs) > 0 else 0
        if macs and math.prod(outputs) >= LEAST_OUTPUTS and macs < 1_500_000 and units <= 64:
            return layer


def cost(layers: list[Layer]) -> list[int]:
    """Instructions of an inference of each."""
    cases = [
        Case(str(layer), build(layer), edge_inputs(math.prod(layer.shape), layer.seed, 1)[-1:]) for layer in layers
    ]
    images = range(0, len(cases), 120)  # more do not fit the emulated flash
    return [instructions for start in images for instructions in count_instructions(cases[start : start + 120])]


@pytest.mark.slow
def test_what_is_in_a_layer_does_not_make_it_slow() -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    source = random.Random(seed)
    layers = [draw_layer(source) for _ in range(examples(5, 60))]
    costs = cost([replace(layer, **changes) for layer in layers for changes in ({}, *HOSTILE.values())])
    for number, layer in enumerate(layers):
        outputs = math.prod(layer.outputs())
        usual, *others = costs[number * (1 + len(HOSTILE)) :][: 1 + len(HOSTILE)]
        limit = FREE + layer.depth / MACS_PER_INSTRUCTION
        print(f"{usual / outputs:.1f} an output, {usual / outputs / limit:.2f} of the limit: {layer}")
        assert usual / outputs <= MOST_OF_LIMIT * limit, f"seed {seed}: {layer}"
        for name, instructions in zip(HOSTILE, others, strict=True):
            weights_alone = name in ("dead channels", "lowest weights")
            most = usual * MOST_TIMES + (0 if weights_alone else MOST_PER_OUTPUT * outputs)
            assert instructions <= most, f"seed {seed}: {name} takes {instructions} instead of {usual}: {layer}"
