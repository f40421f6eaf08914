/* SPDX-License-Identifier: Apache-2.0
 * REDUCE_ALL along any dimensions, bool. Bit-exact with TFLite Micro (micro/kernels/reduce_common.cc, EvalAllHelper), for
 * bytes that are no bool, too: the lowest bits count.
 */
#ifndef TINYPROOF_KERNELS_REDUCE_ALL_U8_H
#define TINYPROOF_KERNELS_REDUCE_ALL_U8_H

#include "reduce.h"

struct reduce_all_u8 {
    REDUCE_LOOPS;
};

KERNEL_INLINE int32_t reduce_all_u8_all(const uint8_t *first, const struct reduce_all_u8 *p) {
    int32_t all = 1;
    REDUCE_EACH(p, uint8_t, all &= *x);
    return all;
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void reduce_all_u8(const uint8_t *input, uint8_t *output, const struct reduce_all_u8 *p) {
    REDUCE(p, uint8_t, reduce_all_u8_all(first, p));
}

#endif
