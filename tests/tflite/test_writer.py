# SPDX-License-Identifier: Apache-2.0
"""The writer of .tflite files, read back by the schema's classes: what it is asked for is in the file."""

from __future__ import annotations

import numpy
import pytest
from support.tflite_writer import Model, pack_values
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "int32", "int64", "float16", "float32"])
def test_constants_are_stored_as_numpy_stores_them(dtype: str) -> None:
    model = Model()
    index = model.tensor((3,), values=[0, 1, 1], dtype=dtype)
    read = schema.ModelT.InitFromPackedBuf(model.build(index), 0)
    tensor = read.subgraphs[0].tensors[index]
    assert tensor.type == getattr(schema.TensorType, dtype.upper())
    assert bytes(read.buffers[tensor.buffer].data) == numpy.array([0, 1, 1], dtype).tobytes()


def test_two_int4_share_a_byte() -> None:
    assert pack_values([1, -1, -8], "int4") == bytes([0xF1, 0x08])


def test_several_graphs_inputs_and_scales_a_variable_and_a_custom_operator() -> None:
    model = Model()
    x, state = model.input((1, 2), 0.5, 3), model.tensor((1, 2), 0.5, variable=True)
    second = model.input((2,), dtype="int32")
    weights = model.tensor((2, 2), [0.1, 0.2], 0, [1, 2, 3, 4], axis=1)
    y = model.tensor((1, 2), 0.5)
    model.add_custom("Mine", [x, second, weights, -1], [state, y], b"\x01\xff", version=2)
    body = model.subgraph()
    inner = body.input((1,), 0.25)
    body.outputs = [body.tensor((1,), 0.25)]
    body.add("RELU", [inner], body.outputs)
    read = schema.ModelT.InitFromPackedBuf(model.build(state, y), 0)
    main, other = read.subgraphs
    assert (list(main.inputs), list(main.outputs)) == ([x, second], [state, y])
    assert [tensor.isVariable for tensor in main.tensors] == [False, True, False, False, False]
    quantization = main.tensors[weights].quantization
    assert quantization.scale.tolist() == pytest.approx([0.1, 0.2])
    assert (quantization.zeroPoint.tolist(), quantization.quantizedDimension) == ([0, 0], 1)
    code = read.operatorCodes[main.operators[0].opcodeIndex]
    assert (code.builtinCode, code.customCode, code.version) == (schema.BuiltinOperator.CUSTOM, b"Mine", 2)
    assert bytes(main.operators[0].customOptions) == b"\x01\xff"
    assert (list(other.inputs), list(other.outputs)) == ([0], [1])
    assert read.operatorCodes[other.operators[0].opcodeIndex].builtinCode == schema.BuiltinOperator.RELU


def test_options_are_those_of_the_schema() -> None:
    model = Model()
    x, y = model.input((1, 2), 0.5), model.tensor((1, 2), 0.5)
    model.add("LEAKY_RELU", [x], [y], alpha=0.5)
    model.add("LEAKY_RELU", [x], [y], bare=True)
    model.add("MAX_POOL_2D", [x], [y])
    assert [operator.builtinOptionsType for operator in model.operators] == [
        schema.BuiltinOptions.LeakyReluOptions,
        schema.BuiltinOptions.NONE,
        schema.BuiltinOptions.Pool2DOptions,
    ]
    with pytest.raises(AttributeError, match="SOFTMAX have no alpha"):
        model.add("SOFTMAX", [x], [y], alpha=0.5)
