# SPDX-License-Identifier: Apache-2.0
"""The kernels' functions on numbers, compiled for this machine: machine/sweep.c and machine/softmax.c, by ctypes."""

from __future__ import annotations

import ctypes
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyproof.prove.compilers import run_compiler
from tinyproof.prove.symbolic import ENGINE, MACHINE, RESCALED_PAIR, Integers

FLAGS = ("-std=gnu99", "-O3", "-march=native", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wno-unused-function")

Bytes = npt.NDArray[np.int8]
Long = ctypes.c_int64


class _Wanted(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_int32) for name in ("multiplier", "shift", "zero_point", "low", "high"))


class Sweeps:
    """`engine`: the folder whose kernels/ are compiled."""

    def __init__(self, engine: Path = ENGINE) -> None:
        with tempfile.TemporaryDirectory() as name:
            library = Path(name) / "sweeps.so"
            sources = [str(MACHINE / file) for file in ("sweep.c", "softmax.c")]
            command = ["gcc", *FLAGS, f"-I{engine}", f"-I{engine / 'kernels'}", *sources, "-o", str(library)]
            run_compiler(command, "the kernels cannot be compiled")
            self._library = ctypes.CDLL(str(library))
        for function in (self._library.sweep_pair, self._library.sweep_requantize, self._library.sweep_softmax):
            function.restype = Long

    def rescaled(
        self,
        tail: int,
        parameters: tuple[int, ...],
        clamp: tuple[int, int],
        wanted: tuple[int, int, int, int, int],
        reach: tuple[int, int],
    ) -> tuple[int, int]:
        """How many sums of `reach` become another byte, and one of them. `wanted`: multiplier, shift, zero point and
        clamp of TFLite Micro."""
        function = self._library.sweep_pair if tail == RESCALED_PAIR else self._library.sweep_requantize
        first = Long()
        numbers = (Long * len(parameters))(*parameters)
        right = _Wanted(*wanted)
        wrong = function(numbers, *clamp, ctypes.byref(right), Long(reach[0]), Long(reach[1]), ctypes.byref(first))
        return int(wrong), first.value

    def reference(self, x: int, multiplier: int, shift: int) -> int:
        """sweep.c's TFLite Micro, of one number."""
        return int(self._library.sweep_reference(x, multiplier, shift))

    def reciprocal(self, a: int) -> int:
        """softmax.c's gemmlowp, likewise."""
        return int(self._library.softmax_reciprocal(a))

    def pairs(self, name: str, parameters: tuple[int, ...]) -> Bytes:
        """[256, 256]: what `add` or `mul` makes of two bytes."""
        table = np.empty((256, 256), np.int8)
        function = getattr(self._library, f"sweep_{name}")
        function((Long * len(parameters))(*parameters), _pointer(table))
        return table

    def average(self, parameters: tuple[int, ...], clamp: tuple[int, int]) -> Bytes:
        """What the sums from -128 to 127 times `parameters[0]` elements become."""
        table = np.empty(255 * parameters[0] + 1, np.int8)
        self._library.sweep_average((Long * len(parameters))(*parameters), *clamp, _pointer(table))
        return table

    def softmax_rows(self, rows: Bytes, exponentials: npt.NDArray[np.int32]) -> Bytes:
        """The kernel's answer to each row."""
        output = np.empty_like(rows)
        self._library.sweep_softmax_rows(
            _pointer(rows), _pointer(output), *rows.shape, len(exponentials), _pointer(exponentials)
        )
        return output

    def softmax_sums(
        self, table: npt.NDArray[np.int32], right: npt.NDArray[np.int32], low: int, high: int
    ) -> tuple[int, int]:
        """How many pairs of a sum and a distance give another byte, and one of the sums. `table`: the kernel's
        exponentials, `right`: TFLite Micro's."""
        first = Long()
        tables = [part for each in (table, right) for part in (ctypes.c_int32(len(each)), _pointer(each))]
        wrong = self._library.sweep_softmax(*tables, Long(low), Long(high), ctypes.byref(first))
        return int(wrong), first.value


def _pointer(array: Bytes | npt.NDArray[np.int32]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@cache
def sweeps_of(engine: Path) -> Sweeps:
    """Compiled once in a process."""
    return Sweeps(engine)


def intervals(starts: Integers, coefficients: Integers, constants: Integers) -> tuple[Integers, Integers]:
    """Lowest and highest value of each form, its bytes being any."""
    low = np.minimum(-128 * coefficients, 127 * coefficients)
    high = np.maximum(-128 * coefficients, 127 * coefficients)
    sums = [np.concatenate([np.zeros(1, np.int64), np.cumsum(part)]) for part in (low, high)]
    below, above = (constants + part[starts[1:]] - part[starts[:-1]] for part in sums)
    return below, above
