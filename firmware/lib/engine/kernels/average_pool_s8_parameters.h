/* SPDX-License-Identifier: Apache-2.0
 * What average_pool_s8 knows of its layer, on any core, and the sum of one channel.
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOL_S8_PARAMETERS_H
#define TINYPROOF_KERNELS_AVERAGE_POOL_S8_PARAMETERS_H

#include "kernels/average_pooling.h"

struct average_pool_s8 {
    AVERAGE_POOLING;
};

KERNEL_INLINE int32_t average_pool_s8_sum(const int8_t *corner, int32_t rows, int32_t columns,
                                          const struct average_pool_s8 *p) {
    int32_t sum = 0;
    POOLING_WINDOW(p, int8_t, sum += *x);
    return sum;
}

#endif
