# SPDX-License-Identifier: Apache-2.0
"""Instructions of Armv8.1-M's vector extension that the kernels in kernels_mve/ use, as C (assembly.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyproof.faults.native.armv7em import ARMV7EM
from tinyproof.faults.native.assembly import InstructionSet

# Instructions that make a vector of others.
_VECTORS = {
    "vdup.8 Q, R": "mve_dup_8({1})",
    "vdup.16 Q, R": "mve_dup_16({1})",
    "vdup.32 Q, R": "mve_dup_32({1})",
    "vadd.i16 Q, Q, Q": "mve_add_16({1}, {2})",
    "vadd.i32 Q, Q, Q": "mve_add_32({1}, {2})",
    "vadd.i32 Q, Q, R": "mve_add_32({1}, mve_dup_32({2}))",
    "vsub.i16 Q, Q, Q": "mve_sub_16({1}, {2})",
    "vsub.i32 Q, Q, Q": "mve_sub_32({1}, {2})",
    "vsub.i32 Q, Q, R": "mve_sub_32({1}, mve_dup_32({2}))",
    "vmul.i32 Q, Q, Q": "mve_mul_32({1}, {2})",
    "vmul.i32 Q, Q, R": "mve_mul_32({1}, mve_dup_32({2}))",
    "vmla.s32 Q, Q, R": "mve_mla_32({0}, {1}, mve_dup_32({2}))",
    "vmlas.s32 Q, Q, R": "mve_mla_32(mve_dup_32({2}), {1}, {0})",
    "vmulh.u32 Q, Q, Q": "mve_mulh_u32({1}, {2})",
    "vmullb.s8 Q, Q, Q": "mve_mull_s8({1}, {2}, 0)",
    "vmullt.s8 Q, Q, Q": "mve_mull_s8({1}, {2}, 1)",
    "vqadd.s16 Q, Q, R": "mve_qadd_s16({1}, mve_dup_16({2}))",
    "vqrdmulh.s32 Q, Q, Q": "mve_qrdmulh_s32({1}, {2})",
    "vqrdmulh.s32 Q, Q, R": "mve_qrdmulh_s32({1}, mve_dup_32({2}))",
    "vqdmlah.s16 Q, Q, R": "mve_qdmlah_s16({0}, {1}, mve_dup_16({2}))",
    "vqdmlah.s32 Q, Q, R": "mve_qdmlah_s32({0}, {1}, mve_dup_32({2}))",
    "vrshl.s32 Q, Q, Q": "mve_rshl_s32_by({1}, {2})",
    "vshl.s32 Q, Q, Q": "mve_shl_s32_by({1}, {2})",
    "vshl.u32 Q, Q, Q": "mve_shl_u32_by({1}, {2})",
    "vshl.i16 Q, Q, I": "mve_shl_16({1}, {2})",
    "vshl.i32 Q, Q, I": "mve_shl_32({1}, {2})",
    "vshr.s32 Q, Q, I": "mve_shr_s32({1}, {2})",
    "vshllb.s16 Q, Q, I": "mve_shll_s16({1}, {2}, 0)",
    "vshllt.s16 Q, Q, I": "mve_shll_s16({1}, {2}, 1)",
    "vmovlb.u16 Q, Q": "mve_movl_u16({1}, 0)",
    "vmovlt.u16 Q, Q": "mve_movl_u16({1}, 1)",
    "vqmovnb.s16 Q, Q": "mve_qmovn_s16({0}, {1}, 0)",
    "vqmovnt.s16 Q, Q": "mve_qmovn_s16({0}, {1}, 1)",
    "vqmovnb.s32 Q, Q": "mve_qmovn_s32({0}, {1}, 0)",
    "vqmovnt.s32 Q, Q": "mve_qmovn_s32({0}, {1}, 1)",
    "vmax.s8 Q, Q, Q": "mve_max_s8({1}, {2})",
    "vmax.s32 Q, Q, Q": "mve_max_s32({1}, {2})",
    "vmin.s8 Q, Q, Q": "mve_min_s8({1}, {2})",
    "vmin.s32 Q, Q, Q": "mve_min_s32({1}, {2})",
    "vabs.s32 Q, Q": "mve_abs_s32({1})",
    "vand Q, Q, Q": "mve_and({1}, {2})",
    "veor Q, Q, Q": "mve_eor({1}, {2})",
    "vpsel Q, Q, Q": "mve_merge({2}, {1}, mve_p0)",
}
_ORDERED = "arm_less = arm_signed({0}) < arm_signed({1}); arm_equal = {0} == {1};"
# All others. Those of Armv7E-M stand here, too, where they leave a flag for BGT or BLT, or add to an address.
FORMS = {
    **{form: f"{{0}} = mve_merge({{0}}, {value}, {{p}});" for form, value in _VECTORS.items()},
    "vidup.u32 Q, R, P": "{0} = mve_merge({0}, mve_idup_32({1}, {2}), {p}); {1} = arm_add({1}, 4 * {2});",
    "vmladava.s8 R, Q, Q": "{0} = mve_mladava_s8({0}, {1}, {2}, {p});",
    "vmov Q[2], Q[0], R, R": "{1}.words[0] = (uint32_t){2}; {0}.words[2] = (uint32_t){3};",
    "vmov Q[3], Q[1], R, R": "{1}.words[1] = (uint32_t){2}; {0}.words[3] = (uint32_t){3};",
    "vcmp.u32 cs, Q, R": "mve_p0 = mve_not_below({0}, {1}) & {p};",
    "vctp.8 R": "mve_p0 = mve_first((uint32_t){0}, 1) & {p};",
    "vctp.32 R": "mve_p0 = mve_first((uint32_t){0}, 4) & {p};",
    "vldrb.8 Q, [R]": "{0} = mve_ldrb_8({1}, {p});",
    "vldrb.8 Q, [R], I": "{0} = mve_ldrb_8({1}, {p}); {1} = arm_add({1}, {2});",
    "vldrb.s32 Q, [R]": "{0} = mve_ldrb_32({1}, {p});",
    "vldrb.s32 Q, [R], I": "{0} = mve_ldrb_32({1}, {p}); {1} = arm_add({1}, {2});",
    "vldrw.32 Q, [R], W": "{0} = mve_ldrw_32({1}, {p}); {1} = arm_add({1}, {2});",
    "vstrb.8 Q, [R], I": "mve_strb_8({1}, {0}, {p}); {1} = arm_add({1}, {2});",
    "vstrb.32 Q, [R]": "mve_strb_32({1}, {0}, {p});",
    "vstrb.32 Q, [R], I": "mve_strb_32({1}, {0}, {p}); {1} = arm_add({1}, {2});",
    "vstrw.32 Q, [R], W": "mve_strw_32({1}, {0}, {p}); {1} = arm_add({1}, {2});",
    # A loop takes as many lanes of mve_lane bytes as lr says; of 0 bytes, as many iterations.
    "dls R, R": "{0} = {1}; mve_lane = 0;",
    "dlstp.8 R, R": "{0} = {1}; mve_lane = 1;",
    "dlstp.32 R, R": "{0} = {1}; mve_lane = 4;",
    "wlstp.8 R, R, B": "if (!(uint32_t){1}) goto {2}; {0} = {1}; mve_lane = 1;",
    "wlstp.32 R, R, B": "if (!(uint32_t){1}) goto {2}; {0} = {1}; mve_lane = 4;",
    "le R, B": "if (mve_lane) __builtin_trap(); if ((uint32_t){0} > 1) {{ {0} = arm_sub({0}, 1); goto {1}; }}",
    "letp R, B": "if ((uint32_t){0} > 16 / mve_lane) {{ {0} = arm_sub({0}, 16 / mve_lane); goto {1}; }} mve_lane = 0;",
    "mov R, I": "{0} = {1};",
    "add R, R, R": "{0} = mve_add({1}, {2});",
    "subs R, R, I": "arm_less = arm_signed({1}) < {2}; {0} = arm_sub({1}, {2}); arm_equal = {0} == 0;",
    "cmp R, R": _ORDERED,
    "cmp R, I": _ORDERED,
    "bgt B": "if (!arm_equal && !arm_less) goto {0};",
    "blt B": "if (arm_less) goto {0};",
}
_FLAGS = " ".join(
    [
        ARMV7EM.flags,
        "int arm_less = 0; unsigned mve_p0 = 0xA5A5, mve_lane = 0;",
        "(void)arm_less; (void)mve_p0; (void)mve_lane;",
    ]
)
_BLOCK = re.compile(r"vpst(t{0,3})")
_THEN = re.compile(r"(\w+)t((?:\.\w+)? .*)")
_TAIL = re.compile(r"[dw]lstp\.")


def conditions(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each instruction with the mask of bytes that it works on. VPST begins a block of up to four, whose names end with
    a T: these keep to P0. In a loop with tail predication all of them keep to what is left."""
    tail = "mve_tail(arm_lr, mve_lane)" if any(_TAIL.match(line) for line in lines) else "MVE_ALL"
    left = 0
    for line in lines:
        if block := _BLOCK.fullmatch(line):
            left = 1 + len(block[1])
            continue
        then = _THEN.fullmatch(line) if left else None
        assert not left or then, f"{line!r} stands in a block of predicated instructions, and is none"
        yield (f"{then[1]}{then[2]}", f"(mve_p0 & {tail})") if then else (line, tail)
        left = max(0, left - 1)


ARMV8M_MVE = InstructionSet({**ARMV7EM.forms, **FORMS}, Path(__file__).with_name("armv8m_mve.h"), _FLAGS, conditions)
