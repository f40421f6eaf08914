/* SPDX-License-Identifier: Apache-2.0
 * MAX_POOL_2D, int8. Bit-exact with TFLite Micro (reference/integer_ops/pooling.h).
 */
#ifndef TINYPROOF_KERNELS_MAX_POOL_S8_H
#define TINYPROOF_KERNELS_MAX_POOL_S8_H

#include "kernels/max_pool_s8_parameters.h"

KERNEL_INLINE int32_t max_pool_s8_largest(const int8_t *corner, int32_t rows, int32_t columns,
                                          const struct max_pool_s8 *p) {
    int32_t largest = INT8_MIN;
    POOLING_WINDOW(p, int8_t, largest = *x > largest ? *x : largest);
    return clamp_s32(largest, p->clamp_min, p->clamp_max);
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void max_pool_s8(const int8_t *input, int8_t *output, const struct max_pool_s8 *p) {
    POOLING(p, int8_t, , max_pool_s8_largest(corner, rows.count, columns.count, p));
}

#endif
