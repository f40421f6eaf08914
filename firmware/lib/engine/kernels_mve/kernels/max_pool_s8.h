/* SPDX-License-Identifier: Apache-2.0
 * MAX_POOL_2D, int8, sixteen channels at a time, for cores with MVE. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_MAX_POOL_S8_H
#define TINYPROOF_KERNELS_MAX_POOL_S8_H

#include "kernels/max_pool_s8_parameters.h"
#include "kernels/pooling_windows.h"

/* All channels of one window, whose first element is at `corner`. */
static __attribute__((noinline)) void max_pool_mve(const int8_t *corner, int32_t rows, int32_t columns, int8_t *output,
                                                   const struct max_pool_s8 *p) {
    const int32_t channels = p->channels, pitch = p->input_width * channels;
    const int32_t min = p->clamp_min, max = p->clamp_max;
    const int8_t *line, *x;
    int32_t rows_left, left;
    /* Below the clamp's lower end nothing counts: the largest begins there. */
    __asm__ volatile("dlstp.8 lr, %[channels]\n"
                     "1:\n\t"
                     "vdup.8 q0, %[min]\n\t"
                     "mov %[line], %[corner]\n\t"
                     "ldr %[rows_left], %[rows]\n"
                     "2:\n\t"
                     "mov %[x], %[line]\n\t"
                     "ldr %[left], %[columns]\n"
                     "3:\n\t"
                     "vldrb.8 q1, [%[x]]\n\t"
                     "subs %[left], %[left], #1\n\t"
                     "vmax.s8 q0, q0, q1\n\t"
                     "add %[x], %[x], %[channels]\n\t"
                     "bne 3b\n\t"
                     "add %[line], %[line], %[pitch]\n\t"
                     "subs %[rows_left], %[rows_left], #1\n\t"
                     "bne 2b\n\t"
                     "vdup.8 q1, %[max]\n\t"
                     "vmin.s8 q0, q0, q1\n\t"
                     "add %[corner], %[corner], #16\n\t"
                     "vstrb.8 q0, [%[output]], #16\n\t"
                     "letp lr, 1b"
                     : [corner] "+&r"(corner), [output] "+&r"(output), [line] "=&r"(line), [x] "=&r"(x),
                       [left] "=&r"(left), [rows_left] "=&r"(rows_left)
                     : [pitch] "r"(pitch), [channels] "r"(channels), [min] "r"(min), [max] "r"(max), [rows] "m"(rows),
                       [columns] "m"(columns)
                     : "lr", "q0", "q1", "cc", "memory");
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void max_pool_s8(const int8_t *input, int8_t *output, const struct max_pool_s8 *p) {
    POOLING_WINDOWS(p, max_pool_mve);
}

#endif
