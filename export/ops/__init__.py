# SPDX-License-Identifier: Apache-2.0
"""The operators that the compiled engine supports, by the name in the TFLite schema."""

from __future__ import annotations

from tinyproof.export.ops.add import Add, Sub
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.concatenation import Concatenation, Split
from tinyproof.export.ops.conv_2d import Conv2D
from tinyproof.export.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyproof.export.ops.fully_connected import FullyConnected
from tinyproof.export.ops.hard_swish import HardSwish
from tinyproof.export.ops.mean import Mean
from tinyproof.export.ops.mul import Mul
from tinyproof.export.ops.pad import Pad
from tinyproof.export.ops.pooling import AveragePool, MaxPool
from tinyproof.export.ops.quantize import Requantize
from tinyproof.export.ops.relu import LeakyRelu, Relu, Relu6
from tinyproof.export.ops.reshape import Reshape
from tinyproof.export.ops.sigmoid import Logistic, Tanh
from tinyproof.export.ops.softmax import Softmax
from tinyproof.export.ops.strided import StridedSlice, Transpose

OPS: dict[str, type[Op]] = {
    "ADD": Add,
    "AVERAGE_POOL_2D": AveragePool,
    "CONCATENATION": Concatenation,
    "CONV_2D": Conv2D,
    "DEPTHWISE_CONV_2D": DepthwiseConv2D,
    "EXPAND_DIMS": Reshape,
    "FULLY_CONNECTED": FullyConnected,
    "HARD_SWISH": HardSwish,
    "LEAKY_RELU": LeakyRelu,
    "LOGISTIC": Logistic,
    "MAX_POOL_2D": MaxPool,
    "MEAN": Mean,
    "MUL": Mul,
    "PAD": Pad,
    "PADV2": Pad,
    "QUANTIZE": Requantize,
    "RELU": Relu,
    "RELU6": Relu6,
    "RESHAPE": Reshape,
    "SOFTMAX": Softmax,
    "SPLIT": Split,
    "SQUEEZE": Reshape,
    "STRIDED_SLICE": StridedSlice,
    "SUB": Sub,
    "TANH": Tanh,
    "TRANSPOSE": Transpose,
}
# Only where floats enter and leave a model; they are folded away, so that the device sees int8 alone.
ENDS = ("QUANTIZE", "DEQUANTIZE")
