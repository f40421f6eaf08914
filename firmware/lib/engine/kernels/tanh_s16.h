/* SPDX-License-Identifier: Apache-2.0
 * TANH, int16. Bit-exact with TFLite Micro (reference/integer_ops/tanh.h): 2 logistic(2 x) - 1, as logistic_s16.h.
 */
#ifndef TINYPROOF_KERNELS_TANH_S16_H
#define TINYPROOF_KERNELS_TANH_S16_H

#include "requantize.h"

struct tanh_s16 {
    int32_t count;
    int32_t multiplier; /* to 3 * 4096 steps, then the shift to the right, rounded */
    int32_t shift;
    KERNEL_TABLE uint16_t *table; /* [256]: 1 / (1 + exp(-i / 24)) as 16 bits after the point */
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void tanh_s16(const int16_t *input, int16_t *output, const struct tanh_s16 *p) {
    const int32_t half = p->shift > 0 ? INT32_C(1) << (p->shift - 1) : 0;
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t x = (input[i] * p->multiplier + half) >> p->shift;
        const int32_t magnitude = x < 0 ? -x : x, place = magnitude >> 8;
        int32_t y = INT32_C(0xFFFF) << 8;
        if (place < 255) {
            const int32_t low = p->table[place], high = p->table[place + 1];
            y = low * 256 + (magnitude & 255) * (high - low);
        }
        y = x >= 0 ? y - (INT32_C(1) << 23) + 128 : (INT32_C(1) << 23) - y + 127;
        output[i] = (int16_t)(y >> 8);
    }
}

#endif
