/* SPDX-License-Identifier: Apache-2.0
 * Rescaling of sums to int16, bit for bit as TFLite Micro does it.
 * Source: tflite-micro, tensorflow/lite/kernels/internal/common.cc, both MultiplyByQuantizedMultiplier.
 *
 * The exporter has proven for every sum of the model that nothing here leaves its 32 or 64 bits.
 */
#ifndef TINYPROOF_KERNELS_REQUANTIZE_S16_H
#define TINYPROOF_KERNELS_REQUANTIZE_S16_H

#include "kernels/requantize.h"

/* What follows a sum. `two_roundings`: multipliers and shifts are those of requantize.h, for sums of 32 bits; otherwise a
 * multiplier has 15 bits, and the shift, at least 8, goes to the right.
 */
struct rescaling_s16 {
    int32_t two_roundings;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int32_t *multipliers; /* [units] */
    KERNEL_TABLE int8_t *shifts;       /* [units] */
};

KERNEL_INLINE int16_t requantize_s16(int64_t sum, int32_t unit, const struct rescaling_s16 *p) {
    const int32_t multiplier = p->multipliers[unit], shift = p->shifts[unit];
    int32_t y;
    if (p->two_roundings) {
        y = requantize((int32_t)sum, multiplier, shift, 0, 0);
    } else {
        y = (int32_t)((sum * multiplier + (INT64_C(1) << (shift - 1))) >> shift);
    }
    y += p->zero_point;
    y = y < p->clamp_min ? p->clamp_min : y;
    return (int16_t)(y > p->clamp_max ? p->clamp_max : y);
}

#endif
