/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D, int16 (average_pooling.h).
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOL_S16_H
#define TINYPROOF_KERNELS_AVERAGE_POOL_S16_H

#include "average_pooling.h"

struct average_pool_s16 {
    AVERAGE_POOLING;
};

KERNEL_INLINE int32_t average_pool_s16_sum(const int16_t *corner, int32_t rows, int32_t columns,
                                           const struct average_pool_s16 *p) {
    int32_t sum = 0;
    POOLING_WINDOW(p, int16_t, sum += *x);
    return sum;
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void average_pool_s16(const int16_t *input, int16_t *output, const struct average_pool_s16 *p) {
    POOLING(p, int16_t, AVERAGE_POOLING_DIVISOR(p),
            AVERAGE_POOLING_OUTPUT(p, average_pool_s16_sum(corner, rows.count, columns.count, p)));
}

#endif
