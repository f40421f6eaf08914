# SPDX-License-Identifier: Apache-2.0
"""Division and floats for a core that has neither, against numpy's: this machine's own arithmetic."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.sanitizers import SANITIZERS, STRICT

from tinyproof.core.paths import FIRMWARE

HERE = Path(__file__).parent
FLAGS = ["-O1", "-g", *STRICT, *SANITIZERS]
ANSWERS = np.dtype(
    [("quotient", "u4"), ("rest", "u4"), ("signed_quotient", "i4"), ("signed_rest", "i4")]
    + [(name, "f4") for name in ("number", "sum", "difference", "product")]
    + [("wide", "i8")]
)
# Zero, the subnormals' ends, the normal numbers' ends, 1 and its neighbours, 2^24 and its, infinity, NaN.
EDGES = [0, 1, 2, 3, 0x7FFFFE, 0x7FFFFF, 0x800000, 0x800001, 0x1000000, 0x3F000000, 0x3F7FFFFF, 0x3F800000, 0x3F800001]
EDGES += [0x40000000, 0x4B7FFFFF, 0x4B800000, 0x4B800001, 0x7F000000, 0x7F7FFFFE, 0x7F7FFFFF, 0x7F800000, 0x7F800001]
EDGES += [0x7FC00000, 0x7FFFFFFF, 10, 0xFFFF, 0x10000]


@pytest.fixture(scope="module")
def pairs() -> np.ndarray:
    """All pairs of edges of either sign; random bits; floats within 30 powers of two, where rounding is hard."""
    edges = [*EDGES, *(edge | 0x80000000 for edge in EDGES)]
    source = np.random.default_rng(1)
    anything = source.integers(0, 2**32, (100_000, 2), np.uint32)
    near = source.integers(0, 2**32, (100_000, 2), np.uint32) & 0x807FFFFF
    exponents = source.integers(60, 190, 100_000, np.uint32)
    near[:, 0] |= exponents << 23
    near[:, 1] |= (exponents + source.integers(0, 30, 100_000, np.uint32)) << 23
    halves = near & 0xFFFFF000  # sums and products that end in few bits: ties
    return np.concatenate([np.array(list(itertools.product(edges, edges)), np.uint32), anything, near, halves])


@pytest.fixture(scope="module")
def answers(pairs: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    program = tmp_path_factory.mktemp("arithmetic") / "arithmetic"
    hal = FIRMWARE / "lib" / "hal"
    sources = [HERE / "arithmetic_main.c", hal / "xtensa_arithmetic.c"]
    subprocess.run(["gcc", *FLAGS, f"-I{hal}", *map(str, sources), "-o", str(program)], check=True)
    done = subprocess.run([program], input=pairs.tobytes(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return np.frombuffer(done.stdout, ANSWERS)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy tells of infinities and NaN, which belong to the test
@pytest.mark.parametrize(("name", "function"), [("sum", np.add), ("difference", np.subtract), ("product", np.multiply)])
def test_floats_are_this_machines(pairs: np.ndarray, answers: np.ndarray, name: str, function: np.ufunc) -> None:
    floats = pairs.view(np.float32)
    expected = function(floats[:, 0], floats[:, 1])
    undefined = np.isnan(expected)
    assert undefined.any()
    assert np.isnan(answers[name][undefined]).all()
    assert (answers[name].view(np.uint32) == expected.view(np.uint32))[~undefined].all()


def test_integers_become_the_nearest_float(pairs: np.ndarray, answers: np.ndarray) -> None:
    assert (answers["number"] == pairs[:, 0].view(np.int32).astype(np.float32)).all()


def test_division_truncates(pairs: np.ndarray, answers: np.ndarray) -> None:
    some = pairs[:, 1] != 0
    a, b = pairs[some, 0].astype(np.int64), pairs[some, 1].astype(np.int64)
    assert (answers["quotient"][some] == a // b).all()
    assert (answers["rest"][some] == a % b).all()
    a, b = pairs[some].view(np.int32).astype(np.int64).T
    quotient = np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))
    assert (answers["signed_quotient"][some] == quotient.astype(np.int32)).all()
    assert (answers["signed_rest"][some] == a - quotient * b).all()


def test_wide_products_keep_their_low_64_bits(pairs: np.ndarray, answers: np.ndarray) -> None:
    a = (pairs[:, 0].astype(np.uint64) << np.uint64(32)) | pairs[:, 1]
    b = pairs[:, 1].view(np.int32).astype(np.int64).view(np.uint64)
    assert (answers["wide"].view(np.uint64) == a * b).all()
