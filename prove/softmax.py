# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX for every row: its table entry by entry, and behind the sum every sum that rows of its length can have."""

from __future__ import annotations

import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyproof.core.processors import usable_processors
from tinyproof.core.tflite import fixed_point
from tinyproof.core.tflite.arithmetic import BYTE_DISTANCES, quantize_multiplier
from tinyproof.core.tflite.graph import Graph, Operator
from tinyproof.prove.compilers import run_compiler
from tinyproof.prove.sweeps import Sweeps
from tinyproof.prove.symbolic import MACHINE, SOFTMAX_ROW, StepForms
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN, Verdict

ARGUMENT_BITS = 5  # integer bits of an exponential's argument: reference/softmax.h
SUM_BITS = 12
MAX_DEPTH = 64  # elements of a row: sums grow with it
TRIED_ROWS = 20_000
LOOP = "softmax_sum: that it finds a row's maximum and adds one entry of its table for each element (read, and tried)"
PART = 1 << 15
TIMEOUT_S = 300


def prove_softmax(
    forms: StepForms,
    graph: Graph,
    operator: Operator,
    offsets: dict[int, int],
    source: str,
    number: int,
    sweeps: Sweeps,
) -> Verdict:
    """`source`: model_compiled.c, where the operator's table is that of `number`."""
    x = graph.tensors[operator.inputs[0]]
    depth = x.shape[-1]
    if not (forms.tails == SOFTMAX_ROW).all() or depth > MAX_DEPTH:
        return Verdict(UNPROVEN, f"supported are rows of up to {MAX_DEPTH} elements of int8")
    rows = offsets[x.index] + np.arange(x.elements).reshape(-1, depth)
    if not np.array_equal(forms.places.reshape(-1, depth), np.repeat(rows, depth, axis=0)):
        return Verdict(REFUTED, "a row has other elements than the model's")
    table = read_table(source, number)
    if table is None:
        return Verdict(UNPROVEN, "its table is not found")
    numbers = {tuple(row) for row in forms.parameters[:, 1:4].tolist()}
    if numbers != {(depth, len(table), int((table * np.arange(1, len(table) + 1)).sum()))}:
        return Verdict(REFUTED, "its parameters do not fit its table")
    if not np.array_equal(forms.parameters[:, 0].reshape(-1, depth), np.tile(np.arange(depth), (len(rows), 1))):
        return Verdict(REFUTED, "its outputs are in another order")
    right = exponentials(operator.real_options.get("beta", 0.0), x.scales[0])
    left_out = [fixed_point.rounding_shift_right(int(value), SUM_BITS) for value in right[len(table) :]]
    if not np.array_equal(table, right[: len(table)]) or any(left_out):
        return Verdict(REFUTED, "its table of exponentials is not TFLite Micro's")
    return _sweep(table.astype(np.int32), right.astype(np.int32), depth, sweeps)


def read_table(source: str, number: int) -> npt.NDArray[np.int64] | None:
    """The exponentials of operator `number` in the generated C, without what stands behind fewer than all distances."""
    found = re.search(rf"KERNEL_TABLE int32_t op{number}_exponentials\[\d+\] = \{{([^}}]*)\}}", source)
    if not found:
        return None
    values = [int(value) for value in found[1].split(",")]
    return np.array(values[:-1] if len(values) < BYTE_DISTANCES else values, np.int64)


def sums_of(table: npt.NDArray[np.int64], depth: int) -> tuple[int, int]:
    """The least and the most that a row's terms can add up to: one of them is that of its maximum."""
    terms = [fixed_point.rounding_shift_right(int(value), SUM_BITS) for value in table]
    return terms[0], terms[0] + (depth - 1) * max(*terms, 0)


def prove_memory_of_softmax(table: npt.NDArray[np.int64], depth: int, engine: Path, flags: tuple[str, ...]) -> Verdict:
    """The kernel behind its sum under the sanitizers of `flags`, for every sum."""
    low, high = sums_of(table, depth)
    with tempfile.TemporaryDirectory() as name:
        program = Path(name) / "softmax"
        includes = [f"-I{engine}", f"-I{engine / 'kernels'}"]
        command = ["gcc", *flags, *includes, str(MACHINE / "softmax_main.c"), "-o", str(program)]
        run_compiler(command, "the kernels cannot be compiled")
        try:
            done = subprocess.run(
                [program, str(low), str(high), str(len(table))],
                input=table.astype(np.int32).tobytes(),
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            return Verdict(UNPROVEN, f"time: its sums under the sanitizers take more than {TIMEOUT_S} s")
    if done.returncode != 0:
        return Verdict(REFUTED, "the sanitizers stopped it behind its sum")
    return Verdict(PROVEN, f"{high - low + 1:,} sums under the sanitizers")


def exponentials(beta: float, scale: float) -> npt.NDArray[np.int64]:
    """TFLite Micro's, by the distance to the maximum, as far as they count."""
    multiplier, shift = quantize_multiplier(min(beta * scale * 2 ** (31 - ARGUMENT_BITS), float(2**31 - 1)))
    radius = min(fixed_point.input_radius(ARGUMENT_BITS, shift), BYTE_DISTANCES - 1)
    arguments = (fixed_point.doubling_high_multiply(-distance << shift, multiplier) for distance in range(radius + 1))
    return np.array([fixed_point.exp_on_negative_values(a, ARGUMENT_BITS) for a in arguments], np.int64)


def _sweep(table: npt.NDArray[np.int32], right: npt.NDArray[np.int32], depth: int, sweeps: Sweeps) -> Verdict:
    terms = np.array([fixed_point.rounding_shift_right(int(value), SUM_BITS) for value in right], np.int64)
    low, high = sums_of(table.astype(np.int64), depth)
    parts = [(at, min(at + PART, high + 1) - 1) for at in range(low, high + 1, PART)]
    with ThreadPoolExecutor(usable_processors()) as pool:
        wrong = sum(count for count, _ in pool.map(lambda part: sweeps.softmax_sums(table, right, *part), parts))
    if wrong:
        return Verdict(REFUTED, f"{wrong:,} pairs of a sum and a distance become another byte")
    words = f"{len(table)} exponentials, {high - low + 1:,} sums"
    if depth <= 2:
        every = np.stack(np.meshgrid(*[np.arange(-128, 128)] * depth, indexing="ij"), -1).reshape(-1, depth)
        rows = np.ascontiguousarray(every.astype(np.int8))
        words = f"{len(rows):,} rows, all there are"
    else:
        rows = np.random.default_rng(1).integers(-128, 128, (TRIED_ROWS, depth)).astype(np.int8)
        rows[::2] //= 8
    if not np.array_equal(sweeps.softmax_rows(rows, table), _rows(rows, right, terms)):
        return Verdict(REFUTED, "a row becomes another than TFLite Micro's")
    return Verdict(PROVEN, words)


def _rows(
    rows: npt.NDArray[np.int8], table: npt.NDArray[np.int32], terms: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """reference/softmax.h, in the arithmetic of core/tflite/fixed_point.py."""
    wide = rows.astype(np.int64)
    distances = wide.max(axis=1, keepdims=True) - wide
    near = distances < len(table)
    kept = np.where(near, distances, 0)
    sums = np.where(near, terms[kept], 0).sum(axis=1)
    shares = {}
    for total in set(sums.tolist()):
        headroom = 32 - total.bit_length()
        scale = fixed_point.one_over_one_plus((total << headroom) - 2**31)
        shares[total] = (scale, SUM_BITS - headroom + 31 - 8)
    scales, exponents = (np.array([shares[total][part] for total in sums.tolist()])[:, None] for part in (0, 1))
    products = (scales * table.astype(np.int64)[kept] + 2**30) >> 31
    limited = np.minimum(exponents, 31)
    rounded = (products + (1 << (limited - 1)) - (products < 0)) >> limited
    answers: npt.NDArray[np.int64] = np.minimum(np.where(near & (exponents <= 31), rounded, 0) - 128, 127)
    return answers
