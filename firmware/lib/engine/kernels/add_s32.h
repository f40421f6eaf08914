/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int32 without quantization, around 2^32 where they leave 32 bits. Bit-exact with TFLite Micro
 * (reference/add.h, reference/sub.h).
 */
#ifndef TINYPROOF_KERNELS_ADD_S32_H
#define TINYPROOF_KERNELS_ADD_S32_H

#include "broadcast.h"

struct add_s32 {
    BROADCAST_LOOPS;
    int32_t subtracts; /* 1: input2 is taken from input1 */
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE int32_t add_s32_element(int32_t x1, int32_t x2, const struct add_s32 *p) {
    const uint32_t a = (uint32_t)x1, b = (uint32_t)x2;
    return clamp_s32(wrap_s32(p->subtracts ? a - b : a + b), p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void add_s32(const int32_t *input1, const int32_t *input2, int32_t *output, const struct add_s32 *p) {
    BROADCAST(p, int32_t, int32_t, *output = add_s32_element(*x1, *x2, p));
}

#endif
