/* SPDX-License-Identifier: Apache-2.0
 * Two rows of weights at once, packed as w = 256 b + a in an int16 (export/ops/simd_packing.py), times a column of bytes.
 *
 * With P = sum(w x) and S = sum(a x), sum(b x) = (P - S) / 256. P may wrap: the exporter has proven |sum(b x)| < 2^23.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_H
#define TINYPROOF_KERNELS_PAIRS_H

#include "kernels/requantize.h"

/* Numbers of 32 bits lie between the weights, low half first. */
KERNEL_INLINE int32_t read_long(KERNEL_TABLE int16_t *halves) {
    return (int32_t)((uint32_t)(uint16_t)halves[0] | (uint32_t)(uint16_t)halves[1] << 16);
}

struct pair_sums {
    int32_t a;
    int32_t b;
};

/* `pair`: where S and P begin, then `depth` weights in the order 0, 2, 1, 3 of each four inputs, as SXTB16 unpacks bytes
 * on cores with the DSP extension.
 */
KERNEL_INLINE struct pair_sums multiply_pair(KERNEL_TABLE int16_t *pair, const int8_t *x, int32_t depth) {
    int32_t first = read_long(pair);
    uint32_t both = (uint32_t)read_long(pair + 2);
    KERNEL_TABLE int16_t *w = pair + 4;
    for (int32_t left = depth; left > 0; left -= 4, w += 4, x += 4) {
        const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        both += (uint32_t)(w[0] * x0 + w[1] * x2) + (uint32_t)(w[2] * x1 + w[3] * x3);
        first += (int8_t)(w[0] & 0xff) * x0 + (int8_t)(w[1] & 0xff) * x2;
        first += (int8_t)(w[2] & 0xff) * x1 + (int8_t)(w[3] & 0xff) * x3;
    }
    const struct pair_sums sums = {first, (int32_t)(both - (uint32_t)first) >> 8};
    return sums;
}

/* `rounding` is 1 + 2 * zero_point; the shift goes to the right. */
KERNEL_INLINE int8_t requantize_s8(int32_t accumulator, int32_t multiplier_minus, int32_t halving_shift,
                                   int32_t rounding) {
    const int32_t t = doubling_high_multiply(accumulator, multiplier_minus);
    return clamp_s8((((t - (t < 0 ? 1 : 0)) >> halving_shift) + rounding) >> 1, -128, 127);
}

#endif
