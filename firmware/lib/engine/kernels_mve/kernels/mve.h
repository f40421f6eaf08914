/* SPDX-License-Identifier: Apache-2.0
 * What the kernels for Armv8.1-M's vector extension share (MVE, "Helium": Cortex-M55). Bit-exact with the plain kernels.
 *
 * Vectors have 16 bytes. Byte loads reach any address; tables of 32-bit numbers are aligned to 4.
 */
#ifndef TINYPROOF_KERNELS_MVE_H
#define TINYPROOF_KERNELS_MVE_H

#include "kernels/convolution.h"

enum { MVE_BYTES = 16 };

/* TFLite's two roundings of four sums, see requantize.h; here multipliers are the file's own, and shifts to the right
 * negative. VQRDMULH rounds ties toward +infinity; VQDMLAH with `one` adds v >> 31, so that VRSHL rounds ties away from
 * zero.
 *
 * Dense layers have their tables in the order in which they are read. Per four units, bytes and 32-bit numbers as four of
 * them, aligned to 4:
 *   bias [4]
 *   weights [blocks][4 units][16 inputs]
 *   multipliers [4], shifts [4]
 */
#define MVE_MULTIPLY(sum, numbers) "vqrdmulh.s32 " sum ", " sum ", " numbers "\n\t"
#define MVE_AWAY_FROM_ZERO(sum, one) "vqdmlah.s32 " sum ", " sum ", " one "\n\t"
#define MVE_SHIFT(sum, numbers) "vrshl.s32 " sum ", " sum ", " numbers "\n\t"

/* Where a shift may be to the left or none, a table of shifts to the left comes before the multipliers, and those to the
 * right are 0: there nothing is rounded. `free` is a vector of its own. */
#define MVE_SHIFT_LEFT(sum, numbers) "vshl.s32 " sum ", " sum ", " numbers "\n\t"
#define MVE_AWAY_IF_SHIFTED(sum, numbers, free)                                                                        \
    "vand " free ", " sum ", " numbers "\n\t"                                                                          \
    "vshr.s32 " free ", " free ", #31\n\t"                                                                             \
    "vadd.i32 " sum ", " sum ", " free "\n\t"

/* `bytes` may be 0. Both return the end of what they have written. */
KERNEL_INLINE int8_t *mve_copy(int8_t *to, const int8_t *from, int32_t bytes) {
    int8_t *end = to + bytes;
    __asm__ volatile("wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vldrb.8 q0, [%[from]], #16\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [from] "+r"(from), [to] "+r"(to)
                     : [bytes] "r"(bytes)
                     : "lr", "q0", "cc", "memory");
    return end;
}

KERNEL_INLINE int8_t *mve_fill(int8_t *to, int32_t value, int32_t bytes) {
    int8_t *end = to + bytes;
    __asm__ volatile("vdup.8 q0, %[value]\n\t"
                     "wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n\t"
                     "vstrb.8 q0, [%[to]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [to] "+r"(to)
                     : [value] "r"(value), [bytes] "r"(bytes)
                     : "lr", "q0", "cc", "memory");
    return end;
}

/* Rows of at least one byte, at least one of them; steps in bytes. */
KERNEL_INLINE void mve_copy_rows(int8_t *to, int32_t to_step, const int8_t *from, int32_t from_step, int32_t bytes,
                                 int32_t rows) {
    const int8_t *x;
    int8_t *y;
    __asm__ volatile("1:\n\t"
                     "mov %[x], %[from]\n\t"
                     "mov %[y], %[to]\n\t"
                     "dlstp.8 lr, %[bytes]\n"
                     "2:\n\t"
                     "vldrb.8 q0, [%[x]], #16\n\t"
                     "vstrb.8 q0, [%[y]], #16\n\t"
                     "letp lr, 2b\n\t"
                     "add %[from], %[from], %[from_step]\n\t"
                     "add %[to], %[to], %[to_step]\n\t"
                     "subs %[rows], %[rows], #1\n\t"
                     "bne 1b"
                     : [x] "=&r"(x), [y] "=&r"(y), [from] "+&r"(from), [to] "+&r"(to), [rows] "+&r"(rows)
                     : [from_step] "r"(from_step), [to_step] "r"(to_step), [bytes] "r"(bytes)
                     : "lr", "q0", "cc", "memory");
}

#endif
