# SPDX-License-Identifier: Apache-2.0
"""Which operators a board can run alone on contents that it makes itself, and on how many of them.

Such contents are any bytes: an operator of which some would be an index, a state or a number that it cannot take is
left out, with the reason.
"""

from __future__ import annotations

from dataclasses import replace

from tinyproof.core.tflite.cutting import operators_between
from tinyproof.core.tflite.graph import Graph
from tinyproof.core.tflite.layer_probes import PAIRS, LayerProbe, ProbeTensor
from tinyproof.core.tflite.parts import TensorPart
from tinyproof.export.lowering import Program
from tinyproof.export.memory_planner import MemoryPlan
from tinyproof.export.ops.base import Op
from tinyproof.export.ops.constant_output import ConstantOutput
from tinyproof.export.ops.lift import Lift
from tinyproof.export.softmax_rows import softmax_rows

# Operators of the .tflite that take any bytes, each for itself and without a past.
ANY_CONTENTS = frozenset(
    (
        *("ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "BATCH_TO_SPACE_ND", "CONCATENATION", "CONV_2D"),
        *("DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "EXPAND_DIMS", "FULLY_CONNECTED", "HARD_SWISH", "LEAKY_RELU"),
        *("LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "MIRROR_PAD", "MUL", "PACK", "PAD", "PADV2"),
        *("PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6", "RESHAPE", "RESIZE_BILINEAR"),
        *("RESIZE_NEAREST_NEIGHBOR", "REVERSE_V2", "SLICE", "SOFTMAX", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH"),
        *("SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "SUB", "TANH", "TRANSPOSE", "TRANSPOSE_CONV"),
        "UNPACK",
    )
)
ELEMENT_BYTES = {"int8": 1, "int16": 2}

MADE_WORD_COST = 36  # instructions of a Cortex-M4 for a word of the arena, which is filled and digested
MADE_BYTE_COST = 16  # and for a byte of an input
TOTAL_COST = 80_000_000  # of all probes, about: a second of an emulator
LEAST, MOST = 4, 512  # trials of an operator
# Of the .tflite: each output is made of two bytes, which stand where it does.
OF_PAIRS = frozenset(("ADD", "MAXIMUM", "MINIMUM", "MUL", "SUB"))
PASSES = 4  # kernels take up to four elements at a time


def layer_probes(original: Graph, program: Program, plan: MemoryPlan, numbers: list[int]) -> list[LayerProbe | str]:
    """Of each operator, by its number in the C, its probe, or why it has none. `original`: the graph of the .tflite."""
    lifted = {op.outputs[0]: op.inputs[0] for op in program.ops if isinstance(op, Lift)}
    share = TOTAL_COST // max(1, len(numbers))
    bare = {number: _probe(original, program, plan, number, lifted) for number in numbers}
    of_pairs = {n for n, probe in bare.items() if isinstance(probe, LayerProbe) and _takes_pairs(program.ops[n], probe)}
    found: list[LayerProbe | str] = []
    for number, probe in bare.items():
        if isinstance(probe, LayerProbe):
            first, end = probe.window
            made = MADE_BYTE_COST * sum(one.bytes for one in probe.inputs)
            cost = program.ops[number].cost + MADE_WORD_COST * (end - first) + made
            given = softmax_rows(program.ops[number])
            pairs = _pair_trials(probe, TOTAL_COST // len(of_pairs) // cost) if number in of_pairs else 0
            least = LEAST + len(given) + pairs
            trials = least if pairs else max(least, min(MOST, share // cost))
            probe = replace(probe, trials=trials, given=given, pairs=pairs)
        found.append(probe)
    return found


def _takes_pairs(op: Op, probe: LayerProbe) -> bool:
    tensors = (*probe.inputs, *probe.outputs)
    alike = len({(one.bytes, one.element_bytes) for one in tensors}) == 1 and tensors[0].element_bytes == 1
    return op.operator.name in OF_PAIRS and len(probe.inputs) == 2 and len(probe.outputs) == 1 and alike


def _pair_trials(probe: LayerProbe, most: int) -> int:
    """How many trials hold all pairs as often as `most` trials allow; 0 where that is not once."""
    size = probe.inputs[0].bytes
    for passes in range(PASSES, 0, -1):
        trials = -(-passes * PAIRS // size)
        if trials <= min(most, MOST - LEAST):
            return trials
    return 0


def _probe(
    original: Graph, program: Program, plan: MemoryPlan, number: int, lifted: dict[int, int]
) -> LayerProbe | str:
    """With the fewest trials."""
    op = program.ops[number]
    if isinstance(op, ConstantOutput):
        return "it has no input"
    if op.kept or any(program.graph.tensors[index].is_variable for index in (*op.inputs, *op.outputs)):
        return "it keeps a state"
    ends: list[tuple[ProbeTensor, ...]] = []
    for indices in (tuple(dict.fromkeys(op.inputs)), op.outputs):
        tensors = []
        for index in indices:
            tensor = program.graph.tensors[index]
            part = _part(program, index, lifted)
            if tensor.dtype not in ELEMENT_BYTES:
                return f"it takes or makes {tensor.dtype}"
            if part.index >= len(original.tensors) or original.tensors[part.index].dtype != tensor.dtype:
                return "the exporter has made it of another one"
            size = ELEMENT_BYTES[tensor.dtype]
            tensors.append(ProbeTensor(part, plan.offsets[index], tensor.bytes, size, tensor.quantization[1]))
        ends.append(tuple(tensors))
    if program.removed and program.removed.twins and any(one.part.kept is not None for one in ends[0]):
        return "a channel of its input stands for several"
    if reason := _refusal(original, ends[0], ends[1]):
        return reason
    return LayerProbe(ends[0], ends[1], _scratch(op, plan, number), LEAST)


def _refusal(original: Graph, inputs: tuple[ProbeTensor, ...], outputs: tuple[ProbeTensor, ...]) -> str:
    between = operators_between(original, *([one.part.index for one in end] for end in (inputs, outputs)))
    if not between:
        return "what it makes does not follow from its inputs alone"
    names = sorted({original.operators[one].name for one in between} - ANY_CONTENTS)
    return f"{names[0]} does not take any contents" if names else ""


def _part(program: Program, index: int, lifted: dict[int, int]) -> TensorPart:
    while index in lifted:
        index = lifted[index]
    return program.parts.get(index, TensorPart(index))


def _scratch(op: Op, plan: MemoryPlan, number: int) -> tuple[int, int]:
    return (plan.scratch[number], op.working_bytes) if op.working_bytes else (0, 0)
