# SPDX-License-Identifier: Apache-2.0
"""Small nets of images, whose operators can take turns by rows."""

from __future__ import annotations

from support.op_rows.convolution import SAME, VALID, Layer, add
from support.tflite_writer import Model


class Net:
    """Convolutions on images, one after the other."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.model, self.seed = Model(), 0
        self.shape = (1, *shape)
        self.end = self.model.input(self.shape, 0.05, -3)

    def conv(self, units: int, kernel: int = 3, stride: int = 1, padding: int = SAME, depthwise: bool = False) -> Net:
        """One more; a depthwise one has as many units as channels come in."""
        self.seed += 1
        layer = Layer(
            *(self.shape, (kernel, kernel), self.shape[3] if depthwise else units, int(depthwise), (stride, stride)),
            padding=padding,
            y=(0.05, -3),
            seed=self.seed,
        )
        self.end, self.shape = add(self.model, self.end, layer), layer.outputs()
        return self

    def add(self, other: int) -> Net:
        """The sum with an earlier tensor."""
        y = self.model.tensor(self.shape, 0.07, 2)
        self.model.add("ADD", [other, self.end], [y], fusedActivationFunction=0)
        self.end = y
        return self

    def build(self) -> bytes:
        """The model's file."""
        return self.model.build(self.end)


def mobile() -> bytes:
    """Depthwise and pointwise layers in turn, rows that are skipped, and an odd number of them."""
    net = Net((13, 10, 3)).conv(8, stride=2).conv(0, depthwise=True).conv(12, kernel=1)
    return net.conv(0, stride=2, depthwise=True).conv(7, kernel=1).build()


def residual() -> bytes:
    """A block whose sum needs the rows that its first layer reads."""
    net = Net((11, 9, 2)).conv(8)
    x = net.end
    return net.conv(8).conv(8).add(x).conv(5, stride=2).build()


def valid() -> bytes:
    """Without borders; a kernel of five rows."""
    return Net((14, 8, 4)).conv(4, kernel=5, padding=VALID).conv(6, padding=VALID).conv(0, depthwise=True).build()
