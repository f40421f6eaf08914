/* SPDX-License-Identifier: Apache-2.0
 * MAX_POOL_2D, int16. Bit-exact with TFLite Micro (reference/integer_ops/pooling.h).
 */
#ifndef TINYPROOF_KERNELS_MAX_POOL_S16_H
#define TINYPROOF_KERNELS_MAX_POOL_S16_H

#include "pooling.h"

struct max_pool_s16 {
    POOLING_SIZES;
};

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void max_pool_s16(const int16_t *input, int16_t *output, const struct max_pool_s16 *p) {
    POOLING(p, int16_t, , int32_t largest = INT16_MIN, largest = *x > largest ? *x : largest,
            *y = (int16_t)clamp_s32(largest, p->clamp_min, p->clamp_max));
}

#endif
