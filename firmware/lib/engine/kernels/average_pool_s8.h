/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D, int8 (average_pooling.h).
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOL_S8_H
#define TINYPROOF_KERNELS_AVERAGE_POOL_S8_H

#include "kernels/average_pool_s8_parameters.h"

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void average_pool_s8(const int8_t *input, int8_t *output, const struct average_pool_s8 *p) {
    POOLING(p, int8_t, AVERAGE_POOLING_DIVISOR(p),
            AVERAGE_POOLING_OUTPUT(p, average_pool_s8_sum(corner, rows.count, columns.count, p)));
}

#endif
