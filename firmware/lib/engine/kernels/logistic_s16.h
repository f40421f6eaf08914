/* SPDX-License-Identifier: Apache-2.0
 * LOGISTIC, int16. Bit-exact with TFLite Micro (reference/integer_ops/logistic.h): between 256 values of a table.
 */
#ifndef TINYPROOF_KERNELS_LOGISTIC_S16_H
#define TINYPROOF_KERNELS_LOGISTIC_S16_H

#include "requantize.h"

struct logistic_s16 {
    int32_t count;
    int32_t multiplier; /* to 3 * 4096 steps, then the shift to the right, rounded */
    int32_t shift;
    KERNEL_TABLE uint16_t *table; /* [256]: 1 / (1 + exp(-i / 24)) as 16 bits after the point */
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void logistic_s16(const int16_t *input, int16_t *output, const struct logistic_s16 *p) {
    const int32_t half = p->shift > 0 ? INT32_C(1) << (p->shift - 1) : 0;
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t x = (input[i] * p->multiplier + half) >> p->shift;
        const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x), place = magnitude >> 9;
        uint32_t y = UINT32_C(0x7FFF) << 10;
        if (place < 255) {
            const uint32_t low = p->table[place], high = p->table[place + 1];
            y = (low << 9) + (magnitude & 511) * (high - low);
        }
        y = x >= 0 ? y + 512 : (UINT32_C(1) << 25) - y + 511;
        output[i] = (int16_t)(y >> 10);
    }
}

#endif
