/* SPDX-License-Identifier: Apache-2.0
 * DIV, int32 without quantization, by one constant. Bit-exact with TFLite Micro (reference/div.h), and no division: the
 * reciprocal is ceil(2^(31 + bits) / |divisor|) with 2^bits >= |divisor|, which is exact for all of 32 bits (Granlund and
 * Montgomery, "Division by Invariant Integers using Multiplication", 1994).
 */
#ifndef TINYPROOF_KERNELS_DIV_S32_H
#define TINYPROOF_KERNELS_DIV_S32_H

#include "broadcast.h"

struct div_s32 {
    int32_t count;
    uint32_t reciprocal;
    int32_t shift;    /* 31 + bits */
    int32_t negative; /* 1: the divisor is */
    int32_t clamp_min;
    int32_t clamp_max;
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void div_s32(const int32_t *input, int32_t *output, const struct div_s32 *p) {
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t x = input[i];
        const uint64_t magnitude = x < 0 ? 0 - (uint32_t)x : (uint32_t)x;
        const uint32_t quotient = (uint32_t)(magnitude * p->reciprocal >> p->shift);
        const int32_t y = wrap_s32((x < 0) != p->negative ? 0 - quotient : quotient);
        output[i] = clamp_s32(y, p->clamp_min, p->clamp_max);
    }
}

#endif
