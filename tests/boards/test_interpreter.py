# SPDX-License-Identifier: Apache-2.0
"""What is derived for Google's interpreter: operators and arena; what device libraries cannot do; the canary."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from support.two_layers import tiny_build, two_layers

from tinyproof.core.board_spec import find_board
from tinyproof.core.errors import InputFileError
from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.reader import read_graph
from tinyproof.export import canary_model
from tinyproof.export.library_lint import LIBRARIES, library_of, lint, refuse_unfit
from tinyproof.export.tflm_arena import ALIGNMENT
from tinyproof.export.tflm_header import arena_bytes, emit_tflm_header, resolver_method, scratch_bytes


def per_channel(graph: Graph) -> Graph:
    """The same model with a scale of its own for each channel of the hidden layer."""
    tensors = list(graph.tensors)
    index = graph.operators[0].inputs[1]
    units = tensors[index].shape[0]
    tensors[index] = dataclasses.replace(
        tensors[index], scales=tuple(0.004 * 1.2**i for i in range(units)), zero_points=(0,) * units
    )
    return dataclasses.replace(graph, tensors=tuple(tensors))


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("FULLY_CONNECTED", "FullyConnected"),
        ("CONV_2D", "Conv2D"),
        ("DEPTHWISE_CONV_2D", "DepthwiseConv2D"),
        ("RELU6", "Relu6"),
        ("BATCH_MATMUL", "BatchMatMul"),
        ("PADV2", "PadV2"),
    ],
)
def test_operators_are_named_as_in_the_resolver(name: str, method: str) -> None:
    assert resolver_method(name) == method


def test_header_names_each_operator_once_and_is_an_artefact(tmp_path: Path) -> None:
    folder = tiny_build(tmp_path)
    text = (folder / "model_tflm.h").read_text()
    assert "#define MODEL_TFLM_OPERATORS 1\n" in text
    assert "#define MODEL_TFLM_FOR_EACH_OPERATOR(add) add(FullyConnected)\n" in text
    tflite = (folder / "model.tflite").read_bytes()
    graph = read_graph(tflite)
    assert f"#define MODEL_TFLM_ARENA_BYTES {arena_bytes(tflite, graph)}\n" in text
    assert text == emit_tflm_header(graph, text.split("id ")[1][:16], arena_bytes(tflite, graph))


def test_arena_is_what_the_interpreter_needs_here_and_the_scratch_of_other_kernels() -> None:
    from tflite_micro import runtime

    tflite = two_layers()
    graph = read_graph(tflite)
    size = arena_bytes(tflite, graph)
    needed = size - scratch_bytes(graph)
    assert scratch_bytes(graph) == 48 + 16  # 12 sums and 1 sum, four bytes each, aligned
    assert size % ALIGNMENT == 0
    runtime.Interpreter.from_bytes(tflite, arena_size=needed)
    with pytest.raises(RuntimeError):
        runtime.Interpreter.from_bytes(tflite, arena_size=needed - ALIGNMENT)


def test_per_channel_dense_is_refused_where_the_library_would_be_silently_wrong() -> None:
    graph = per_channel(read_graph(two_layers()))
    with pytest.raises(InputFileError) as caught:
        refuse_unfit(graph, find_board("nano33ble_tflm"))
    assert caught.value.exit_code == 4
    assert caught.value.message == (
        "model.tflite: operator 0 (FULLY_CONNECTED): weights with 12 scales, one for each channel; it takes the first "
        "for all; Chirale_TensorFLowLite 2.0.0 on board nano33ble_tflm would answer wrongly and say nothing: "
        "./tinyproof export --board nano33ble_tflm, take the compiled engine (--board nano33ble), "
        "or override: --no-lint"
    )
    for board in ("nano33ble", "esp32", "qemu-cortex-m4", "qemu-cortex-m4_tflm"):
        refuse_unfit(graph, find_board(board))
    refuse_unfit(read_graph(two_layers()), find_board("nano33ble_tflm"))


def test_every_board_names_a_library_that_is_in_the_table() -> None:
    named = {name: library_of(find_board(name)) for name in ("nano33ble_tflm", "esp32_tflm", "qemu-cortex-m4_tflm")}
    assert all(named.values())
    assert library_of(find_board("nano33ble")) is None


def test_channel_multiples_and_missing_operators_are_found() -> None:
    graph = read_graph(two_layers())
    s3 = LIBRARIES["esp-tflite-micro 1.4.0 on ESP32-S3"]
    assert [finding.fault for finding in lint(graph, s3)] == [
        "12 output channels, no multiple of 8",
        "1 output channels, no multiple of 8",
    ]
    newer = dataclasses.replace(
        graph, operators=(dataclasses.replace(graph.operators[0], name="BATCH_MATMUL"), graph.operators[1])
    )
    (finding,) = lint(newer, LIBRARIES["Chirale_TensorFLowLite 2.0.0"])
    assert (finding.fault, finding.silent) == ("not in its resolver", False)


@pytest.mark.parametrize("fault", canary_model.FAULTS)
def test_canary_names_the_broken_part(fault: str) -> None:
    graph = per_channel(read_graph(two_layers()))
    golden = canary_model.answers(graph, canary_model.Kernel())
    broken = canary_model.answers(graph, canary_model.FAULTS[fault])
    wrong = {index: b for index, (a, b) in enumerate(zip(golden, broken, strict=True)) if a != b}
    assert wrong
    assert canary_model.diagnose(graph, wrong) == fault


def test_canary_is_silent_when_all_is_right_and_honest_when_it_does_not_know() -> None:
    graph = per_channel(read_graph(two_layers()))
    assert canary_model.diagnose(graph, {}) == ""
    assert canary_model.diagnose(graph, {3: 99}).startswith("nothing known")
