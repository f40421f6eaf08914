/* SPDX-License-Identifier: Apache-2.0
 * MUL, int16. Bit-exact with TFLite Micro (reference/integer_ops/mul.h); zero points are 0.
 */
#ifndef TINYPROOF_KERNELS_MUL_S16_H
#define TINYPROOF_KERNELS_MUL_S16_H

#include "broadcast.h"

struct mul_s16 {
    BROADCAST_LOOPS;
    int32_t multiplier; /* encoded as in requantize.h, like the shift */
    int32_t shift;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE void mul_s16(const int16_t *input1, const int16_t *input2, int16_t *output, const struct mul_s16 *p) {
    BROADCAST(p, int16_t, int16_t,
              *output = (int16_t)clamp_s32(requantize((int32_t)*x1 * *x2, p->multiplier, p->shift, 0, 0), p->clamp_min,
                                           p->clamp_max));
}

#endif
