# SPDX-License-Identifier: Apache-2.0
"""Outputs that nothing computes, or that are listed twice: TFLite Micro takes them, and so does the compiled engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.op_cases import Case, assert_bit_exact, edge_inputs
from support.tflite_writer import Model

from tinyproof.core.manifest import Manifest, model_id
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export.codegen import emit_source
from tinyproof.export.lowering import lower
from tinyproof.export.memory_planner import plan_memory
from tinyproof.export.profile_codegen import FOLDER, SOURCE, write_profile


def model(*outputs: str, constants: dict[str, list[int]] | None = None) -> Case:
    """`x` is the input, `y` a ReLU of it, `z` a RESHAPE of the input and `zeros` one of constants, which are folded;
    others are constants of the type that they are called by."""
    made = Model()
    tensors = {name: made.tensor((1, 4), 0.5, 3) for name in ("y", "z")} | {"x": made.input((1, 4), 0.5, 3)}
    made.add("RELU", [tensors["x"]], [tensors["y"]])
    made.add("RESHAPE", [tensors["x"]], [tensors["z"]])
    if "zeros" in outputs:
        tensors["zeros"] = made.tensor((3,), 0.5)
        made.add("ZEROS_LIKE", [made.tensor((3,), 0.5, values=[1, 2, 3])], [tensors["zeros"]])
    for dtype, values in (constants or {}).items():
        tensors[dtype] = made.tensor((len(values),), 0.5, values=values, dtype=dtype)
    made.outputs = [tensors[name] for name in outputs]
    return Case(f"{outputs} {constants}", made.build(), edge_inputs(4, 1))


@pytest.mark.parametrize("first", ["x", "y", "z", "int8"])
def test_are_what_tflite_micro_answers(first: str) -> None:
    constants = {"int8": [1, -2, 3]}
    others = ["x", "y", "z", "int8", "zeros", first]
    cases = [
        *(model(first, other, first, constants=constants) for other in others),
        model(first, constants=constants),
        model(*others, constants=constants),
    ]
    assert_bit_exact(cases)


def test_constants_have_any_type() -> None:
    alike = [model(dtype, constants={dtype: [1] * 5}) for dtype in ("int8", "int16", "int32", "int64", "bool")]
    different = [model(dtype, constants={dtype: [7, 9]}) for dtype in ("int8", "uint8", "int16", "int32", "int64")]
    assert_bit_exact([*alike, *different])


def test_a_constant_of_one_value_costs_no_table_of_its_size() -> None:
    (op,) = lower(read_graph(model("int16", constants={"int16": [5] * 1000}).tflite)).ops
    assert (op.kernel, [len(table.values) for table in op.constants()]) == ("fill", [2])


def test_are_profiled_without_asking_for_tensors_that_the_file_lacks(tmp_path: Path) -> None:
    """TFLite Micro ends the process where it is asked for one. What a step makes is compared byte by byte."""
    tflite = model("y", "int16", constants={"int16": [5, 6]}).tflite
    program = lower(read_graph(tflite))
    plan = plan_memory(program)
    (tmp_path / "model.tflite").write_bytes(tflite)
    (tmp_path / "model_compiled.c").write_text(emit_source(program, plan, model_id(tflite)), encoding="utf-8")
    Manifest("m").write(tmp_path)
    relu, constant = write_profile(tmp_path)
    assert (relu.parts, constant.parts) == ((TensorPart(program.outputs[0].index),), ())
    rows = (tmp_path / FOLDER / SOURCE).read_text(encoding="utf-8")
    assert f"{{0, {plan.offsets[program.outputs[0].index]}, 4}}" in rows
