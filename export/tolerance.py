# SPDX-License-Identifier: Apache-2.0
"""What quantization does to the answers: the report on the asked range, and the tolerance that answers must keep."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

from tinyproof.core.config import CheckConfig
from tinyproof.core.manifest import Expected, Manifest, QuantizationReport, TensorSpec, Tolerance
from tinyproof.core.origin import NeuronTraining
from tinyproof.core.tflite.arithmetic import INT8_MAX, INT8_MIN, dequantize, quantize
from tinyproof.core.tflite.graph import Graph

CURVE_FILE = "float.csv"
BEYOND = 26  # steps of x on each side of the int8 range, a tenth of it


def representable(tensor: TensorSpec) -> tuple[float, float]:
    """Smallest and largest real value of an int8 tensor."""
    return tuple(tensor.scale * (q - tensor.zero_point) for q in (INT8_MIN, INT8_MAX))  # type: ignore[return-value]


def _clip_share(values: Sequence[float], tensor: TensorSpec) -> float:
    low, high = _reach(tensor)
    return sum(not low <= value <= high for value in values) / len(values)


def _reach(tensor: TensorSpec) -> tuple[float, float]:
    """What an int8 tensor can hold but for rounding; values beyond it saturate."""
    low, high = representable(tensor)
    slack = 0.5 * tensor.scale * (1 + 1e-6)
    return low - slack, high + slack


def float_curve(manifest: Manifest, answers: Callable[[Sequence[float]], Sequence[float]]) -> str:
    """float.csv of a model of one number in, one out: what the float model answers to each int8 input, and a little
    beyond both ends of the range. `answers`: real x -> the float model's y."""
    source = manifest.inputs[0]
    inputs = range(INT8_MIN - BEYOND, INT8_MAX + 1 + BEYOND)
    x = [source.scale * (x_q - source.zero_point) for x_q in inputs]
    rows = [f"{x_q},{a:.9g},{b:.9g}" for x_q, a, b in zip(inputs, x, answers(x), strict=True)]
    return "\n".join(["x_q,x,y", *rows]) + "\n"


def quantization_report(
    manifest: Manifest, x: Sequence[float], y: Sequence[float], answer: Callable[[int], int]
) -> QuantizationReport:
    """For a model of one number in, one out. `x`: points over the asked range, `y`: the float model's answers there,
    `answer`: int8 in, int8 out. Errors and steps are in units of y."""
    source, target = manifest.inputs[0], manifest.outputs[0]
    answers = {q: dequantize(answer(q), target.scale, target.zero_point) for q in range(INT8_MIN, INT8_MAX + 1)}
    errors = [abs(answers[quantize(a, source.scale, source.zero_point)] - b) for a, b in zip(x, y, strict=True)]
    worst = max(range(len(errors)), key=errors.__getitem__)
    x_clip, y_clip = _clip_share(x, source), _clip_share(y, target)
    low, high = representable(source)
    why = (
        f"int8 has 256 levels: x moves in steps of {source.scale:.4g} and y in steps of {target.scale:.4g}; "
        f"the worst error over the asked range is {errors[worst]:.4g}, at x = {x[worst]:.4g}"
    )
    if x_clip or y_clip:
        why += f"; beyond x in [{low:.4g}, {high:.4g}] or the output's range the board answers with the range's end"
    return QuantizationReport(
        low=x[0],
        high=x[-1],
        input_low=low,
        input_high=high,
        input_clip_share=x_clip,
        output_clip_share=y_clip,
        step_x=source.scale,
        step_y=target.scale,
        worst_error=errors[worst],
        worst_error_x=x[worst],
        why=why,
    )


def expect_answers(manifest: Manifest, check: CheckConfig) -> None:
    """Questions with known answers: the training data, and `check.points` where the rule behind the data is known.

    Those that saturate at the input are listed in the quantization report: the board cannot answer them rightly.
    """
    training = manifest.training
    if not isinstance(training, NeuronTraining):
        return
    data, rule = training.data, training.rule
    manifest.expected = [Expected([x], [y], "training data") for x, y in zip(data.x, data.y, strict=True)]
    if rule is not None:
        sign = "-" if rule.b < 0 else "+"
        source = f"rule y = {rule.w:g}x {sign} {abs(rule.b):g}"
        known = {tuple(entry.x) for entry in manifest.expected}
        points = [x for x in dict.fromkeys(check.points) if (x,) not in known]
        manifest.expected += [Expected([x], [rule.w * x + rule.b], source) for x in points]
    if isinstance(manifest.quantization, QuantizationReport):
        low, high = _reach(manifest.inputs[0])
        beyond = [entry.x[0] for entry in manifest.expected if not low <= entry.x[0] <= high]
        manifest.quantization = dataclasses.replace(manifest.quantization, questions_beyond=beyond)


def set_tolerance(manifest: Manifest, graph: Graph) -> None:
    """Largest |y - expected| that quantization and training explain, for a trained neuron. An answer outside the
    representable range is not covered: it is wrong, and the check shall say so."""
    training = manifest.training
    if not isinstance(training, NeuronTraining) or not manifest.expected:
        return
    w, b = training.w, training.b
    source, target = manifest.inputs[0], manifest.outputs[0]
    weights = next(t for t in graph.tensors if t.dtype == "int8" and t.data is not None)
    shift = math.frexp(source.scale * weights.scales[0] / target.scale)[1]
    distance = max(abs(w * entry.x[0] + b - entry.y[0]) for entry in manifest.expected)
    parts = {
        "half an output step": target.scale / 2,
        "half an input step times |w|": source.scale / 2 * abs(w),
        # The doubling multiply rounds to a fraction 2^shift of an output step, the bias to whole accumulator steps.
        "requantize rounding": 0.5 * (target.scale * 2.0 ** min(shift, 0) + source.scale * weights.scales[0]),
        "training error on the expected points": distance,
    }
    value = sum(parts.values())
    why = (
        f"rounding y to steps of {target.scale:.4g} costs up to {target.scale / 2:.4g}, rounding x up to "
        f"{source.scale / 2 * abs(w):.4g}, the integer arithmetic {parts['requantize rounding']:.2g}, and training "
        f"stopped {distance:.4g} short of the expected answers"
    )
    manifest.tolerance = Tolerance(value, parts, why)
