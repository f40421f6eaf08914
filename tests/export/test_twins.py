# SPDX-License-Identifier: Apache-2.0
"""Channels that are the same as another one are computed once, and layers that are constants not at all; what is almost
so, is computed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from support.op_cases import Case, assert_bit_exact, assert_bit_exact_with_dsp_kernels, edge_inputs
from support.tflite_writer import Model

from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.lowering import Program, lower

SAME, RELU = 0, 1
SIDE, DEPTH, UNITS = 4, 3, 8
TWIN, OTHER = 5, 2  # channels of the first layer


@dataclass(frozen=True)
class Net:
    """Two layers of 1 x 1, between them a DEPTHWISE_CONV_2D if `depthwise`. Channel TWIN of the first is channel OTHER
    but for `weight`, `bias` and `scale`, that of the layer between but for `tap`; the second layer multiplies them by
    `readers`. `end`: the first layer's output is one of the model's, too."""

    weight: int = 0
    bias: int = 0
    scale: float = 1.0
    tap: int = 0
    depthwise: bool = False
    readers: tuple[int, int] = (50, -20)
    end: bool = False
    units: int = UNITS

    def build(self) -> bytes:
        source, model = random.Random(7), Model()
        x = model.input((1, SIDE, SIDE, DEPTH), 0.05, 4)
        rows = [[source.randint(-100, 100) for _ in range(DEPTH)] for _ in range(self.units)]
        bias = [source.randint(-500, 500) for _ in rows]
        scales = [source.uniform(0.005, 0.01) for _ in rows]
        rows[TWIN], bias[TWIN], scales[TWIN] = list(rows[OTHER]), bias[OTHER] + self.bias, scales[OTHER] * self.scale
        rows[TWIN][1] += self.weight
        first = at = self.sums(model, x, rows, bias, scales)
        if self.depthwise:
            taps = [[source.randint(-60, 60) for _ in range(9)] for _ in rows]
            taps[TWIN] = [taps[OTHER][0] + self.tap, *taps[OTHER][1:]]
            at = self.sums(model, at, taps, bias, scales, "DEPTHWISE_CONV_2D")
        last = [[source.randint(-60, 60) for _ in rows] for _ in range(3)]
        last[1][OTHER], last[1][TWIN] = self.readers
        y = self.sums(model, at, last, [0, 10, -10], [0.01] * 3)
        return model.build(*((first, y) if self.end else (y,)))

    def sums(
        self, model: Model, x: int, rows: list[list[int]], bias: list[int], scales: list[float], name: str = "CONV_2D"
    ) -> int:
        depthwise = name != "CONV_2D"
        shape = (1, 3, 3, len(rows)) if depthwise else (len(rows), 1, 1, len(rows[0]))
        flat = [w for row in (zip(*rows, strict=True) if depthwise else rows) for w in row]
        w = model.tensor(shape, scales, 0, flat, axis=3 if depthwise else 0)
        b = model.tensor((len(rows),), None, 0, bias, "int32")
        y = model.tensor((1, SIDE, SIDE, len(rows)), 0.04, -30)
        options: dict[str, Any] = {"padding": SAME, "strideH": 1, "strideW": 1, "fusedActivationFunction": RELU}
        options |= {"depthMultiplier": 1} if depthwise else {}
        model.add(name, [x, w, b], [y], **options)
        return y


def inputs(tflite: bytes) -> tuple[bytes, ...]:
    """Extremes, ramps and random ones."""
    return edge_inputs(Reference(tflite).input_bytes, 3, extra=10)


def twins(net: Net) -> int:
    removed = lower(read_graph(net.build())).removed
    return removed.twins if removed else 0


SAME_ONES = (Net(), Net(depthwise=True), Net(readers=(127, -127)), Net(readers=(-100, -28)))
ALMOST = (
    *(Net(weight=1), Net(bias=1), Net(scale=1.0001), Net(readers=(100, 28)), Net(readers=(-100, -29)), Net(end=True)),
    *(Net(depthwise=True, tap=1), Net(depthwise=True, units=12)),  # its kernel takes fours: 11 cost as much as 12
)


def test_of_two_the_same_one_is_computed() -> None:
    assert [twins(net) for net in SAME_ONES] == [1, 2, 1, 1]
    programs = [lower(read_graph(net.build())) for net in (Net(), replace(Net(), readers=(50, -50)))]
    assert [program.removed and program.removed.weights for program in programs] == [7 * DEPTH + 3 * 7] * 2


def test_of_two_almost_the_same_both_are() -> None:
    assert [twins(net) for net in ALMOST] == [0] * len(ALMOST)
    assert_bit_exact_in_every_form([net.build() for net in (*SAME_ONES, *ALMOST)])


def test_the_smallest_difference_shows_in_some_answer() -> None:
    """What `ALMOST` plants is no twin: there are inputs that tell it from one."""
    for changed in (Net(weight=1), Net(bias=40), Net(depthwise=True, tap=9)):
        whole, other = (Reference(net.build()) for net in (replace(changed, weight=0, bias=0, tap=0), changed))
        source = random.Random(5)
        asked = [source.randbytes(SIDE * SIDE * DEPTH) for _ in range(400)]
        assert whole.run_batch(asked) != other.run_batch(asked), changed


def assert_bit_exact_in_every_form(files: list[bytes]) -> None:
    cases = [Case(f"net {number}", tflite, inputs(tflite)) for number, tflite in enumerate(files)]
    assert_bit_exact(cases)
    assert_bit_exact_with_dsp_kernels(cases)


def constant_layer(reader: str, bias: int, kernel: int = 1, zero: int = -30) -> bytes:
    """A layer that its bias holds at a clamp, another one behind it if `kernel` is not 1, and what reads that together
    with a living layer."""
    model = Model()
    x = model.input((1, SIDE, SIDE, DEPTH), 0.05, 4)
    net = Net()
    weights = [[3, -5, 9]] * 4
    lives = net.sums(model, x, [[30, -50, 90], [7, 80, -3], [4, 4, 90], [-80, 2, 1]], [0, 90, 5, 3], [0.01] * 4)
    dead = net.sums(model, x, weights, [bias, bias, -bias, bias], [0.001] * 4)
    if kernel > 1:
        w = model.tensor((4, kernel, kernel, 4), [0.01] * 4, 0, [(7 * k) % 50 - 20 for k in range(16 * kernel**2)])
        b = model.tensor((4,), None, 0, [1, 2, 3, 4], "int32")
        y = model.tensor((1, SIDE, SIDE, 4), 0.04, zero)
        model.add("CONV_2D", [dead, w, b], [y], padding=SAME, strideH=1, strideW=1, fusedActivationFunction=RELU)
        dead = y
    if reader == "nobody":
        return model.build(lives, dead)
    width = 8 if reader == "CONCATENATION" else 4
    y = model.tensor((1, SIDE, SIDE, width), 0.04, -30)
    options: dict[str, Any] = {"axis": 3} if width == 8 else {}
    model.add(reader, [lives, dead], [y], **options)
    return model.build(y)


def names(tflite: bytes) -> list[str]:
    return [op.name for op in lower(read_graph(tflite)).ops]


def counted(program: Program) -> int:
    return program.removed.constant_operators if program.removed else 0


def test_layers_that_are_constants_are_written() -> None:
    files = []
    for reader in ("nobody", "ADD", "MUL", "CONCATENATION"):
        flat, deep, alive = (constant_layer(reader, *form) for form in ((10**6,), (10**6, 3), (400,)))
        rest = [] if reader == "nobody" else [reader]
        assert sorted(names(flat)) == sorted(names(deep)) == sorted(["CONV_2D", "BROADCAST_TO", *rest])
        assert [counted(lower(read_graph(tflite))) for tflite in (flat, deep, alive)] == [1, 2, 0]
        assert names(alive).count("CONV_2D") == 2
        files += [flat, deep]
    assert_bit_exact_in_every_form(files)


def test_a_constant_that_varies_from_pixel_to_pixel_needs_no_more_flash() -> None:
    """The kernel meets the border of an image that is constant, but not zero: the answer is one for every input, and
    as large as the image."""
    tflite = constant_layer("ADD", 10**6, 3)
    program = lower(read_graph(tflite))
    (written,) = (op for op in program.ops if op.name == "BROADCAST_TO")
    assert len(written.constants()[0].values) == 4 * SIDE * SIDE <= 4 * 4 * 9
    assert lower(read_graph(tflite), keep_dead=True).removed is None


def test_a_bias_that_leaves_one_sum_alive() -> None:
    """Between the bias that holds all sums and the next smaller that does not lies one."""
    low, edge = 0, 10**6
    while edge - low > 1:
        middle = (low + edge) // 2
        low, edge = (low, middle) if counted(lower(read_graph(constant_layer("ADD", middle)))) else (middle, edge)
    files = [constant_layer("nobody", bias) for bias in (edge - 1, edge)]
    assert [counted(lower(read_graph(tflite))) for tflite in files] == [0, 1]
    # The sums' ends: each weight meets the byte that makes the sum least, or most.
    ends = [bytes([p, q, p] * SIDE * SIDE) for p, q in ((0x80, 0x7F), (0x7F, 0x80))]
    seen = [Reference(tflite).run_batch(ends) for tflite in files]
    assert len(set(map(dead_part, seen[0]))) == 2
    assert len(set(map(dead_part, seen[1]))) == 1
    assert_bit_exact([Case(f"bias {edge}", files[1], inputs(files[1]))])


def dead_part(answer: bytes) -> bytes:
    return answer[len(answer) // 2 :]
