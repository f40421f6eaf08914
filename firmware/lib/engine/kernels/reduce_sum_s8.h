/* SPDX-License-Identifier: Apache-2.0
 * MEAN and SUM along any dimensions, int8 (reduce_sum.h).
 */
#ifndef TINYPROOF_KERNELS_REDUCE_SUM_S8_H
#define TINYPROOF_KERNELS_REDUCE_SUM_S8_H

#include "reduce_sum.h"

struct reduce_sum_s8 {
    REDUCE_LOOPS;
    REDUCE_SUM_FACTORS;
};

KERNEL_INLINE uint32_t reduce_sum_s8_sum(const int8_t *first, const struct reduce_sum_s8 *p) {
    uint32_t sum = (uint32_t)p->offset;
    REDUCE_EACH(p, int8_t, sum = reduce_sum_add(sum, *x));
    return sum;
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void reduce_sum_s8(const int8_t *input, int8_t *output, const struct reduce_sum_s8 *p) {
    REDUCE(p, int8_t, REDUCE_SUM_OUTPUT(p, reduce_sum_s8_sum(first, p)));
}

#endif
