/* SPDX-License-Identifier: Apache-2.0
 * RSQRT, int16: 1 / sqrt(x), the largest number for 0. Bit-exact with TFLite Micro (micro/kernels/elementwise.cc) where
 * that answers; the exporter has proven that no input is negative.
 */
#ifndef TINYPROOF_KERNELS_RSQRT_S16_H
#define TINYPROOF_KERNELS_RSQRT_S16_H

#include "broadcast.h"
#include "inverse_root.h"

struct rsqrt_s16 {
    int32_t count;
    int32_t multiplier; /* encoded as in requantize.h, like the shift */
    int32_t shift;
};

/* Zero points are 0. `input` and `output` may be the same. */
KERNEL_INLINE void rsqrt_s16(const int16_t *input, int16_t *output, const struct rsqrt_s16 *p) {
    for (int32_t i = 0; i < p->count; i++) {
        int32_t y = INT16_MAX;
        if (input[i] > 0) {
            const struct inverse_root root = inverse_root_of(input[i]);
            /* 20 bits more keep it an integer until it is rescaled; no root of 16 bits is shifted by more than 6. */
            const int32_t scaled = fixed_point_multiply(INT32_C(1) << (20 - root.right_shift), root.multiplier);
            y = clamp_s32(requantize(scaled, p->multiplier, p->shift, 0, 0), INT16_MIN, INT16_MAX);
        }
        output[i] = (int16_t)y;
    }
}

#endif
