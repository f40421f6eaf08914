/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D, int8, four channels at a time, for cores with MVE. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOL_S8_H
#define TINYPROOF_KERNELS_AVERAGE_POOL_S8_H

#include "kernels/average_pool_s8_parameters.h"
#include "kernels/pooling_windows.h"

/* All channels of one window, whose first element is at `corner`. What is divided stays below 2^24: VMULH by a
 * reciprocal takes twice of it, and the sign comes back as (q ^ s) - s with s = sum >> 31. */
static __attribute__((noinline)) void average_pool_mve(const int8_t *corner, int32_t rows, int32_t columns,
                                                       int8_t *output, const struct average_pool_s8 *p) {
    const int32_t place = rows * columns - p->first_count, channels = p->channels;
    const int32_t half = rows * columns / 2, pitch = p->input_width * channels;
    const int32_t right = -(int32_t)p->shifts[place], min = p->clamp_min, max = p->clamp_max;
    const uint32_t reciprocal = p->reciprocals[place];
    const int8_t *line, *x;
    int32_t rows_left, left;
    /* clang-format off */
    __asm__ volatile(
        "ldr %[left], %[reciprocal]\n\t"
        "vdup.32 q4, %[left]\n\t"
        "ldr %[left], %[right]\n\t"
        "vdup.32 q5, %[left]\n\t"
        "ldr %[left], %[min]\n\t"
        "vdup.32 q6, %[left]\n\t"
        "ldr %[left], %[max]\n\t"
        "vdup.32 q7, %[left]\n\t"
        "ldr %[left], %[channels]\n\t"
        "dlstp.32 lr, %[left]\n"
        "1:\n\t"
        "vsub.i32 q0, q0, q0\n\t"
        "mov %[line], %[corner]\n\t"
        "ldr %[rows_left], %[rows]\n"
        "2:\n\t"
        "mov %[x], %[line]\n\t"
        "ldr %[left], %[columns]\n"
        "3:\n\t"
        "vldrb.s32 q1, [%[x]]\n\t"
        "subs %[left], %[left], #1\n\t"
        "vadd.i32 q0, q0, q1\n\t"
        "add %[x], %[x], %[step]\n\t"
        "bne 3b\n\t"
        "add %[line], %[line], %[pitch]\n\t"
        "subs %[rows_left], %[rows_left], #1\n\t"
        "bne 2b\n\t"
        "vshr.s32 q2, q0, #31\n\t"
        "vabs.s32 q0, q0\n\t"
        "vadd.i32 q0, q0, %[half]\n\t"
        "vshl.i32 q0, q0, #1\n\t"
        "vmulh.u32 q0, q0, q4\n\t"
        "vshl.u32 q0, q0, q5\n\t"
        "veor q0, q0, q2\n\t"
        "vsub.i32 q0, q0, q2\n\t"
        "vmax.s32 q0, q0, q6\n\t"
        "vmin.s32 q0, q0, q7\n\t"
        "add %[corner], %[corner], #4\n\t"
        "vstrb.32 q0, [%[output]], #4\n\t"
        "letp lr, 1b"
        : [corner] "+&r"(corner), [output] "+&l"(output), [line] "=&r"(line), [x] "=&l"(x), [left] "=&r"(left),
          [rows_left] "=&r"(rows_left)
        : [pitch] "r"(pitch), [step] "r"(channels), [half] "r"(half), [channels] "m"(channels), [rows] "m"(rows), [columns] "m"(columns),
          [reciprocal] "m"(reciprocal), [right] "m"(right), [min] "m"(min), [max] "m"(max)
        : "lr", "q0", "q1", "q2", "q4", "q5", "q6", "q7", "cc", "memory");
    /* clang-format on */
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void average_pool_s8(const int8_t *input, int8_t *output, const struct average_pool_s8 *p) {
    POOLING_WINDOWS(p, average_pool_mve);
}

#endif
