# SPDX-License-Identifier: Apache-2.0
"""How deep the stack can get: frames along the calls, what has no bound, and images of whose compilers there are."""

from __future__ import annotations

from tinyproof.firmware.stack_bound import Function, StackBound, deepest, read_frames, read_functions

ARM = """
00000000 <startup_reset>:
   0:\tbl\t10 <main>
00000010 <main>:
  10:\tpush\t{r4, r5, lr}
  12:\tsub\tsp, #16
  14:\tbl\t20 <infer.isra.0>
  18:\tb.n\t14 <main+0x4>
00000020 <infer.isra.0>:
  20:\tstmdb\tsp!, {r4-r8, lr}
  22:\tvpush\t{d8-d9}
  24:\tblx\tr3
  26:\tb.w\t40 <memset>
00000030 <hal_ticks>:
  30:\tpush\t{r4, lr}
00000040 <memset>:
  40:\tstr.w\tlr, [sp, #-4]!
"""


def test_frames_add_up_along_the_deepest_path() -> None:
    functions = read_functions(ARM, avr=False)
    assert {name: function.frame for name, function in functions.items()} == {
        "startup_reset": 0, "main": 28, "infer.isra.0": 40, "hal_ticks": 8, "memset": 4,
    }  # fmt: skip
    assert deepest(functions, {}, {"infer"}) == StackBound(28 + 40 + 8)
    assert deepest(functions, {"main": 100, "infer": 44}, {"infer"}) == StackBound(100 + 44 + 8)
    assert deepest(functions, {"main": 100, "infer.isra": 48, "infer": 44}, {"infer"}) == StackBound(100 + 48 + 8)


def test_what_has_no_bound_is_named() -> None:
    functions = read_functions(ARM, avr=False)
    assert deepest(functions, {}, set()) == StackBound(None, "infer.isra.0 calls through a pointer")
    functions["memset"].calls.add("main")
    assert deepest(functions, {}, {"infer"}).why == "main calls itself"
    assert deepest(read_functions(ARM, avr=False), {"main": -1}, {"infer"}).why == "the frame of main has no fixed size"
    assert deepest({"other": Function()}, {}, set()).bytes is None


def test_other_instruction_sets_are_read() -> None:
    riscv = "00 <main>:\n 0:\taddi\tsp,sp,-32\n 2:\tjal\t10 <leaf>\n10 <leaf>:\n 10:\taddi\tsp,sp,-16\n 12:\tret\n"
    assert deepest(read_functions(riscv, avr=False), {}, set()) == StackBound(48)
    assert deepest(read_functions(riscv.replace("addi", "add"), avr=False), {}, set()) == StackBound(48)
    xtensa = "00 <main>:\n 0:\taddi\ta1, a1, -48\n 2:\tcall0\t10 <leaf>\n10 <leaf>:\n 10:\taddi\ta1, a1, -16\n"
    assert deepest(read_functions(xtensa, avr=False), {}, set()) == StackBound(64)
    avr = (
        "00 <main>:\n 0:\tpush\tr28\n 2:\tcall\t0x10\t; 0x10 <leaf>\n"
        "10 <leaf>:\n 10:\tsbiw\tr28, 0x0a\t; 10\n 12:\trcall\t.+0\n"
        "20 <__vector_18>:\n 20:\tpush\tr1\n 22:\tpush\tr0\n"
    )
    assert deepest(read_functions(avr, avr=True), {}, set()) == StackBound(2 + 1 + 2 + 10 + 2 + 2 + 2)


def test_the_compilers_frames_are_read() -> None:
    frames: dict[str, int] = {}
    text = (
        "a.c:1:5:main\t24\tstatic\nb.cpp:2:6:void hal_init()\t2\tstatic\n"
        "c.c:3:1:any\t8\tdynamic\nd.c:4:1:main\t40\tstatic\n"
    )
    assert read_frames(text, frames) == {"main", "hal_init", "any"}
    assert frames == {"main": 40, "hal_init": 2, "any": -1}
