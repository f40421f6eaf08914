# SPDX-License-Identifier: Apache-2.0
"""No operator that TFLite Micro computes of integers is missing: it runs none of those that are not supported."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from support.tflite_writer import Model
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyproof.export.lowering import REWRITTEN
from tinyproof.export.ops import ENDS, OPS

NOT_OPERATORS = ("CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES")
MISSING = sorted(
    name
    for name in vars(schema.BuiltinOperator)
    if not name.startswith("_") and name not in {*OPS, *ENDS, *REWRITTEN, *NOT_OPERATORS}
)
TYPES = {"int8": 0.1, "int16": 0.1, "int32": None, "bool": None}


def one(name: str, dtype: str, inputs: int) -> bytes:
    model = Model()
    operands = [model.input((1, 2, 2, 1), TYPES[dtype], dtype=dtype) for _ in range(inputs)]
    output = model.tensor((1, 2, 2, 1), TYPES[dtype], dtype=dtype)
    model.add(name, operands, [output])
    return model.build(output)


def is_answered(tflite: bytes, inputs: int) -> bool:
    """In a process of its own, since TFLite Micro may crash over what it does not expect. A crash is no answer."""
    child = os.fork()
    if not child:
        signal.alarm(20)
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=1 << 20)
            for place in range(inputs):
                details = interpreter.get_input_details(place)
                interpreter.set_input(np.ones(details["shape"], details["dtype"]), place)
            interpreter.invoke()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def test_an_operator_that_is_supported_is_answered() -> None:
    """That the others are not says something only if this one is."""
    assert is_answered(one("ABS", "int16", 1), 1)
    assert is_answered(one("ADD", "int8", 2), 2)


@pytest.mark.nightly
@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_missing_in_tflite_micro(name: str) -> None:
    answered = [
        (dtype, inputs) for dtype in TYPES for inputs in (1, 2) if is_answered(one(name, dtype, inputs), inputs)
    ]
    assert answered == []
