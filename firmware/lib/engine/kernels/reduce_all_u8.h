/* SPDX-License-Identifier: Apache-2.0
 * REDUCE_ALL along any dimensions, bool. Bit-exact with TFLite Micro (micro/kernels/reduce_common.cc, EvalAllHelper).
 */
#ifndef TINYPROOF_KERNELS_REDUCE_ALL_U8_H
#define TINYPROOF_KERNELS_REDUCE_ALL_U8_H

#include "reduce.h"

struct reduce_all_u8 {
    REDUCE_LOOPS;
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void reduce_all_u8(const uint8_t *input, uint8_t *output, const struct reduce_all_u8 *p) {
    uint8_t all;
    REDUCE(p, uint8_t, all = 1, all &= (uint8_t)(*x != 0), *output = all);
}

#endif
