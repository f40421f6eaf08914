# SPDX-License-Identifier: Apache-2.0
"""The reader against TensorFlow's own schema, and against files that nobody should trust."""

from __future__ import annotations

import inspect
import re
import struct
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.effort import examples
from support.tflite_writer import Model, dense_network
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.reader import MAX_FILE_BYTES, read_graph
from tinyproof.core.tflite.schema import ACTIVATIONS, BUILTIN_OPERATORS, TENSOR_TYPES
from tinyproof.core.tflite.schema_options import options_number, options_of
from tinyproof.export.codegen import emit_source
from tinyproof.export.lowering import lower
from tinyproof.export.memory_planner import plan_memory

MODEL = dense_network(11, [3, 4, 2])


def numbers(oracle: type) -> dict[str, int]:
    return {name: value for name, value in vars(oracle).items() if not name.startswith("_")}


def test_names_and_numbers_are_the_schemas() -> None:
    operators = numbers(schema.BuiltinOperator)
    assert {name: number for number, name in enumerate(BUILTIN_OPERATORS) if name in operators} == operators
    types = numbers(schema.TensorType)
    assert {name.upper(): number for number, (name, _) in TENSOR_TYPES.items()}.items() <= types.items()
    assert {name: number for number, name in enumerate(ACTIVATIONS)} == numbers(schema.ActivationFunctionType)
    assert numbers(schema.BuiltinOptions)["FullyConnectedOptions"] == 8


@pytest.mark.parametrize("seed", range(10))
def test_every_field_is_what_the_oracle_reads(seed: int) -> None:
    tflite = dense_network(seed, [2, 5, 3, 1], rows=2)
    ours = read_graph(tflite)
    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    oracle = model.subgraphs[0]
    assert (list(ours.inputs), list(ours.outputs)) == (list(oracle.inputs), list(oracle.outputs))
    assert len(ours.tensors) == len(oracle.tensors)
    for tensor, expected in zip(ours.tensors, oracle.tensors, strict=True):
        assert tensor.name == expected.name.decode()
        assert list(tensor.shape) == list(expected.shape)
        assert TENSOR_TYPES[expected.type][0] == tensor.dtype
        assert list(tensor.scales) == list(expected.quantization.scale)
        assert list(tensor.zero_points) == list(expected.quantization.zeroPoint)
        data = model.buffers[expected.buffer].data
        assert tensor.data == (None if data is None or not len(data) else bytes(data))
    assert len(ours.operators) == len(oracle.operators)
    for operator, expected in zip(ours.operators, oracle.operators, strict=True):
        code = model.operatorCodes[expected.opcodeIndex]
        assert (operator.name, operator.version) == (BUILTIN_OPERATORS[code.builtinCode], code.version)
        assert list(operator.inputs) == list(expected.inputs)
        assert list(operator.outputs) == list(expected.outputs)
        assert operator.options["fused_activation_function"] == expected.builtinOptions.fusedActivationFunction


def compile_or_refuse(tflite: bytes) -> None:
    """Anything may come in; out comes C, or InputFileError. Any other exception fails the test."""
    refusal = None
    try:
        program = lower(read_graph(tflite))
        emit_source(program, plan_memory(program), "0" * 16)
    except InputFileError as error:
        refusal = error.message
    assert refusal is None or ("model.tflite" in refusal and "\n" not in refusal)


@settings(max_examples=examples(400), deadline=2000)
@given(st.lists(st.tuples(st.integers(0, len(MODEL) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_mutated_bytes_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    content = bytearray(MODEL)
    for position, value in changes:
        content[position] = value
    compile_or_refuse(bytes(content))


@settings(max_examples=examples(300), deadline=2000)
@given(
    st.integers(0, (len(MODEL) - 4) // 4),
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(2**31 - 9, 2**31 + 9)),
)
def test_mutated_words_are_read_or_refused(word: int, value: int) -> None:
    content = bytearray(MODEL)
    struct.pack_into("<I", content, 4 * word, value)
    compile_or_refuse(bytes(content))


@settings(max_examples=examples(100), deadline=2000)
@given(st.integers(0, len(MODEL) - 1))
def test_truncated_files_are_refused(size: int) -> None:
    compile_or_refuse(MODEL[:size])
    if size < len(MODEL) // 2:
        with pytest.raises(InputFileError):
            read_graph(MODEL[:size])


@settings(max_examples=examples(100), deadline=2000)
@given(st.binary(max_size=300))
@example(b"")
@example(b"\x08\0\0\0TFL3")
def test_garbage_is_refused(content: bytes) -> None:
    with pytest.raises(InputFileError):
        read_graph(content)
    with pytest.raises(InputFileError):
        read_graph(b"\x08\0\0\0TFL3" + content)


def test_aliased_vectors_do_not_cost_quadratic_time() -> None:
    """n tensors that all are the same table, with a name of n bytes: n * n bytes from a file of 5 n."""
    count = 200_000
    table_size, list_size = 8, 4 + 4 * count
    vtables = struct.pack("<HHHH", 8, 12, 4, 0) + struct.pack("<HHHHH", 10, 12, 4, 0, 8) + b"\0\0"
    vtables += struct.pack("<HHHHHH", 12, 8, 0, 0, 0, 4)
    graph_vtable, root_vtable, tensor_vtable = 8, 16, 28
    root = 8 + len(vtables)
    graphs, graph = root + 12, root + 12 + 8
    tensors = graph + 12
    tensor = tensors + list_size
    name = tensor + table_size
    out = bytearray(name + 4 + count)
    struct.pack_into("<I4s", out, 0, root, b"TFL3")
    out[8 : 8 + len(vtables)] = vtables
    struct.pack_into("<iII", out, root, root - root_vtable, 3, graphs - (root + 8))
    struct.pack_into("<II", out, graphs, 1, graph - (graphs + 4))
    struct.pack_into("<iI", out, graph, graph - graph_vtable, tensors - (graph + 4))
    struct.pack_into("<I", out, tensors, count)
    for place in range(tensors + 4, tensors + list_size, 4):
        struct.pack_into("<I", out, place, tensor - place)
    struct.pack_into("<iI", out, tensor, tensor - tensor_vtable, name - (tensor + 4))
    struct.pack_into("<I", out, name, count)
    started = time.process_time()
    with pytest.raises(InputFileError, match="overlap"):
        read_graph(bytes(out))
    assert time.process_time() - started < 10


def layer(
    dtype: str = "int8",
    x_scale: float | None = 0.1,
    x_zero: int = 0,
    y_scale: float | None = 0.1,
    w_scales: Sequence[float] = (0.1,),
    bias: Sequence[int] | None = None,
    activation: int = 0,
    version: int = 4,
) -> Model:
    """One layer with a part that is wrong."""
    model = Model()
    x = model.tensor((1, 2), x_scale, x_zero, dtype=dtype, name='hostile"*/\n%s')
    y = model.tensor((1, 2), y_scale, dtype=dtype)
    model.add_dense(x, y, [[1, 2], [3, 4]], w_scales, bias, version, fusedActivationFunction=activation)
    model.inputs, model.outputs = [x], [y]
    return model


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "uint8"}, "supported are int8, int16"),
        ({"dtype": "int32"}, "supported are int8, int16"),
        ({"dtype": "float32", "x_scale": None}, "full integer quantization"),
        ({"version": 99}, "operator 0 .FULLY_CONNECTED.: version 99 is not supported"),
        ({"activation": 4}, "fused activation TANH is not supported; supported: NONE, RELU"),
        ({"x_scale": float("nan")}, "scale that is not a positive number"),
        ({"x_scale": 0.0}, "scale that is not a positive number"),
        ({"x_scale": -1.0}, "scale that is not a positive number"),
        ({"x_zero": 4000}, "zero point outside"),
        ({"y_scale": 1e-30}, "rescales by"),
        ({"bias": [2**31 - 1, 0], "w_scales": [0.1, 0.1]}, "can overflow 32 bits"),
        ({"w_scales": [0.1, 0.1, 0.1]}, "3 scales for dimension 0"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        lower(read_graph(layer(**changes).build()))


def test_an_unknown_operator_is_refused_with_what_is_supported() -> None:
    model = layer()
    z = model.tensor((1, 2), 0.1)
    model.add("COMPLEX_ABS", model.outputs, [z])
    with pytest.raises(InputFileError, match=r"1 \(COMPLEX_ABS\): is not supported; .* docs/operators.md lists"):
        lower(read_graph(model.build(z)))


def test_names_of_the_model_do_not_reach_the_generated_code() -> None:
    program = lower(read_graph(layer().build()))
    source = emit_source(program, plan_memory(program), "0" * 16)
    assert "hostile" not in source
    with pytest.raises(InputFileError) as caught:
        lower(read_graph(layer(dtype="uint8").build()))
    assert "\n" not in caught.value.message


def test_a_tensor_that_nothing_computes_and_a_cycle_are_refused() -> None:
    model = layer()
    model.operators[0].inputs[0] = model.outputs[0]
    with pytest.raises(InputFileError, match="before anything computes it"):
        lower(read_graph(model.build()))
    model = layer()
    model.operators.clear()
    with pytest.raises(InputFileError, match="nothing computes its output"):
        lower(read_graph(model.build()))


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(InputFileError, match="reads models up to"):
        read_graph(bytes(MAX_FILE_BYTES + 1))


def test_data_in_the_buffer_for_none_is_refused() -> None:
    """TFLite Micro takes every tensor without data for a constant of these bytes, and writes its results there."""
    model = layer()
    model.buffers[0].data = [1, 2]
    with pytest.raises(InputFileError, match="buffer 0, which stands for no data, holds some"):
        read_graph(model.build())


def test_a_file_without_buffers_is_refused() -> None:
    """TFLite Micro ends with a segmentation fault."""
    model = Model()
    x, y = model.input((1, 2), 0.1), model.tensor((1, 2), 0.1)
    model.add("RELU", [x], [y])
    model.buffers.clear()
    with pytest.raises(InputFileError, match="no buffers"):
        read_graph(model.build(y))


def test_a_pack_of_inputs_that_are_not_there_is_refused() -> None:
    """TFLite Micro ends with a segmentation fault, even where only the shape of a RESHAPE comes of it."""
    model = Model()
    x, y, sizes = model.input((2, 3), 0.5), model.tensor((3, 2), 0.5), model.tensor((2,), dtype="int32")
    model.add("PACK", [model.tensor((), values=[size], dtype="int32") for size in (3, 2)], [sizes], valuesCount=9)
    model.add("RESHAPE", [x, sizes], [y])
    with pytest.raises(InputFileError, match=r"operator 0 \(PACK\) has other than the 9 inputs it says"):
        read_graph(model.build(y))


def test_options_of_another_operator_are_refused() -> None:
    """TFLite Micro reads none of them: with the same field in both tables, it would answer otherwise than expected."""
    model = Model()
    x, y = model.input((1, 2), 0.1), model.tensor((1, 2), 0.1)
    model.add("ADD", [x, x], [y], fusedActivationFunction=1)
    model.operators[0].builtinOptionsType = schema.BuiltinOptions.MulOptions
    with pytest.raises(InputFileError, match=r"operator 0 \(ADD\) has the options of another one"):
        read_graph(model.build(y))


def test_every_table_of_options_belongs_to_an_operator() -> None:
    owned = {options_number(name) for name in BUILTIN_OPERATORS} - {None}
    assert owned >= {number for number in range(256) if options_of(number)}
    assert options_number("MEAN") == schema.BuiltinOptions.ReducerOptions
    assert options_number("RELU") is None


def test_the_options_are_the_schemas() -> None:
    letters = {"Bool": "?", "Int8": "b", "Int32": "i", "Int64": "q", "Uint32": "I", "Float32": "f"}
    for name, number in numbers(schema.BuiltinOptions).items():
        if name == "NONE":
            continue
        for method, function in vars(getattr(schema, name)).items():
            source = inspect.getsource(function) if inspect.isfunction(function) else ""
            kind = re.search(r"self\._tab\.Get\(flatbuffers\.number_types\.(\w+)Flags,", source)
            string = "self._tab.String" in source
            if not (kind or string) or "Vector" in source:
                continue
            key = re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower()
            offset, default = re.search(r"\.Offset\((\d+)\)", source), re.findall(r"return (\S+)", source)[-1]
            assert offset
            expected = ((int(offset[1]) - 4) // 2, "s" if string else letters[kind[1]] if kind else "")
            assert options_of(number)[key][:2] == expected, (name, key)
            assert string or float(options_of(number)[key].default) == float(
                {"True": 1, "False": 0}.get(default, default)
            )
