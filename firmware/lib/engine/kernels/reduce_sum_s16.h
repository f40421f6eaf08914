/* SPDX-License-Identifier: Apache-2.0
 * MEAN and SUM along any dimensions, int16 (reduce_sum.h).
 */
#ifndef TINYPROOF_KERNELS_REDUCE_SUM_S16_H
#define TINYPROOF_KERNELS_REDUCE_SUM_S16_H

#include "reduce_sum.h"

struct reduce_sum_s16 {
    REDUCE_LOOPS;
    REDUCE_SUM_FACTORS;
};

KERNEL_INLINE uint32_t reduce_sum_s16_sum(const int16_t *first, const struct reduce_sum_s16 *p) {
    uint32_t sum = (uint32_t)p->offset;
    REDUCE_EACH(p, int16_t, sum = reduce_sum_add(sum, *x));
    return sum;
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void reduce_sum_s16(const int16_t *input, int16_t *output, const struct reduce_sum_s16 *p) {
    REDUCE(p, int16_t, REDUCE_SUM_OUTPUT(p, reduce_sum_s16_sum(first, p)));
}

#endif
