# SPDX-License-Identifier: Apache-2.0
"""Every rescaling for every sum that can reach it: the kernel's function against TFLite Micro's, one sum after the
other."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tinyproof.core.processors import usable_processors
from tinyproof.core.tflite.arithmetic import INT32_MAX
from tinyproof.prove.sweeps import Sweeps
from tinyproof.prove.symbolic import RESCALED_PAIR
from tinyproof.prove.verdicts import PROVEN, REFUTED, UNPROVEN, OperatorProof, Rescaling, Verdict

PART = 1 << 22  # sums that a thread takes at a time

Reach = tuple[int, int]


def sweep(operators: Iterable[OperatorProof], sweeps: Sweeps) -> None:
    """Sets `requantization` of the operators that have `rescalings`. Equal ones are swept once, over all their sums."""
    reaches: dict[Rescaling, Reach] = {}
    owners = [operator for operator in operators if operator.rescalings]
    for operator in owners:
        for rescaling, reach in operator.rescalings.items():
            before = reaches.get(rescaling, reach)
            reaches[rescaling] = min(before[0], reach[0]), max(before[1], reach[1])
    for rescaling, reach in list(reaches.items()):
        if not fits(rescaling, reach):
            del reaches[rescaling]
    jobs = [
        (key, (at, min(at + PART, high + 1) - 1))
        for key, (low, high) in reaches.items()
        for at in range(low, high + 1, PART)
    ]
    with ThreadPoolExecutor(usable_processors()) as pool:
        answers = pool.map(
            lambda job: sweeps.rescaled(job[0].tail, job[0].parameters, job[0].clamp, job[0].wanted, job[1]), jobs
        )
        wrong: dict[Rescaling, tuple[int, int]] = {}
        for (key, _), (count, first) in zip(jobs, answers, strict=True):
            if count:
                before = wrong.get(key, (0, first))
                wrong[key] = before[0] + count, before[1]
    for operator in owners:
        operator.requantization = _judged(operator, reaches, wrong)


def _judged(
    operator: OperatorProof, reaches: dict[Rescaling, Reach], wrong: dict[Rescaling, tuple[int, int]]
) -> Verdict:
    for rescaling in operator.rescalings:
        if rescaling not in reaches:
            return Verdict(UNPROVEN, "a sum may leave 32 bits while it is rescaled")
        if rescaling in wrong:
            count, first = wrong[rescaling]
            return Verdict(
                REFUTED, f"{count:,} sums of a channel become another byte than TFLite Micro's, such as {first}"
            )
    sums = sum(high - low + 1 for low, high in operator.rescalings.values())
    return Verdict(PROVEN, f"{sums:,} sums")


def fits(rescaling: Rescaling, reach: Reach) -> bool:
    """Whether no step of the kernel's function, nor of TFLite Micro's, leaves 32 bits for any sum of `reach`. All of
    them grow with the sum, or fall: the ends decide."""
    if rescaling.tail == RESCALED_PAIR and rescaling.parameters[0] >= 0:
        return _fits_once(rescaling, reach)
    multiplier = (rescaling.parameters[0] + 2**32) // 2
    lefts, rights = shifts(rescaling)
    if lefts > 30 or not 0 <= rights <= 30:
        return False
    return _fits_twice(multiplier, lefts, reach) and _fits_twice(*rescaling.wanted[:2], reach)


def _fits_twice(multiplier: int, shift: int, reach: Reach) -> bool:
    """With two roundings."""
    most = max(abs(reach[0]), abs(reach[1])) << max(shift, 0)
    return shift <= 30 and most < INT32_MAX and (most * multiplier >> 31) + 1024 < INT32_MAX


def _fits_once(rescaling: Rescaling, reach: Reach) -> bool:
    """The kernel's with one, TFLite Micro's with two."""
    multiplier, offset, _, moved = rescaling.parameters
    most = max(abs(reach[0] + moved), abs(reach[1] + moved))
    fits_once = most < INT32_MAX and (most * multiplier >> 32) + 1 + abs(offset) < INT32_MAX
    return fits_once and _fits_twice(*rescaling.wanted[:2], reach)


def shifts(rescaling: Rescaling) -> tuple[int, int]:
    """To the left, and the halving shift to the right, of the kernel's parameters."""
    number = rescaling.parameters[1]
    if rescaling.tail == RESCALED_PAIR:  # a scaling of kernels/pairs.h
        return (0, number & 0xFF) if number >= 0 else (number >> 8 & 0x1F, 0)
    if number >= 0:
        return 0, number
    return (32, 0) if rescaling.parameters[2] else (-1 - number, 0)
