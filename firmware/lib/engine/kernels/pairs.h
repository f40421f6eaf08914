/* SPDX-License-Identifier: Apache-2.0
 * Two rows of weights, a and b, side by side, times a column of bytes, and how the sums become outputs.
 *
 * Of each four inputs the weights stand in the order a0 b0 a2 b2, a1 b1 a3 b3, as SXTB16 unpacks bytes on cores with the
 * DSP extension. Where the exporter could prove that it is exact (export/ops/simd_packing.py), two bytes are one number
 * 256 b + a, which those cores multiply as it is: b's byte is then 1 less where a is negative.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_H
#define TINYPROOF_KERNELS_PAIRS_H

#include "kernels/requantize.h"

/* The numbers of a pair: bias a, bias b, multiplier a, multiplier b (encoded as in requantize.h), scaling a, scaling b.
 * A scaling: the halving shift in bits 0 to 7, the shift to the left in bits 8 to 15, and flags.
 *
 * Where the exporter has found that one rounding gives the bytes of TFLite's two (export/ops/one_rounding.py), the
 * multiplier is not negative, and the scaling is what rescale_once_s8 adds. A pair has it for both rows, or for none; then
 * bias b stands in a number 256 b + a as well, and scaling b is 256 times as much.
 */
enum { PAIR_SCALES = 6, ONE_SHIFT = 4 };
#define PAIR_BYTES 0x40000000        /* of a: the rows are bytes, not numbers 256 b + a */
#define PAIR_SHIFTS_LEFT 0x20000000  /* of the first: one row is not rescaled to the right */
/* A negative scaling: this row is not rescaled to the right. */

struct pair_sums {
    int32_t a;
    int32_t b;
};

/* The number of a pair: two bytes of the table, which begins at a whole word. */
#if KERNELS_GNU
typedef int16_t __attribute__((may_alias)) pair_number;

KERNEL_INLINE int32_t read_number(KERNEL_TABLE int8_t *w) {
    return *(KERNEL_TABLE pair_number *)(KERNEL_TABLE void *)w;
}
#else
KERNEL_INLINE int32_t read_number(KERNEL_TABLE int8_t *w) {
    return (uint8_t)w[0] + 256 * (int32_t)w[1];
}
#endif

/* A table's int16 as two halves of 32 bits, low half first. */
KERNEL_INLINE int32_t read_long(KERNEL_TABLE int16_t *halves) {
    return (int32_t)((uint32_t)(uint16_t)halves[0] | (uint32_t)(uint16_t)halves[1] << 16);
}

/* Rows that are bytes. */
KERNEL_INLINE struct pair_sums multiply_bytes(KERNEL_TABLE int8_t *w, const int8_t *x, int32_t depth) {
    struct pair_sums sums = {0, 0};
    for (; depth > 0; depth -= 4, w += 8, x += 4) {
        const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        sums.a += w[0] * x0 + w[2] * x2 + w[4] * x1 + w[6] * x3;
        sums.b += w[1] * x0 + w[3] * x2 + w[5] * x1 + w[7] * x3;
    }
    return sums;
}

/* Rows that are numbers: with P = sum(w x) and S = sum(a x), sum(b x) = (P - S) / 256. P may wrap: the exporter has
 * proven |sum(b x)| < 2^23. */
KERNEL_INLINE struct pair_sums multiply_numbers(KERNEL_TABLE int8_t *w, const int8_t *x, int32_t depth) {
    int32_t first = 0;
    uint32_t both = 0;
    for (; depth > 0; depth -= 4, w += 8, x += 4) {
        const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        const int32_t w0 = read_number(w), w1 = read_number(w + 2), w2 = read_number(w + 4), w3 = read_number(w + 6);
        both += (uint32_t)(w0 * x0 + w1 * x2) + (uint32_t)(w2 * x1 + w3 * x3);
        first += (int8_t)(w0 & 0xff) * x0 + (int8_t)(w1 & 0xff) * x2;
        first += (int8_t)(w2 & 0xff) * x1 + (int8_t)(w3 & 0xff) * x3;
    }
    const struct pair_sums sums = {first, (int32_t)(both - (uint32_t)first) >> 8};
    return sums;
}

/* Whether a row is rescaled by one rounding. */
KERNEL_INLINE int32_t rounds_once(int32_t multiplier) {
    return multiplier >= 0;
}

/* PAIR_BYTES and PAIR_SHIFTS_LEFT; a pair that is rescaled by one rounding has neither. */
KERNEL_INLINE int32_t pair_flags(KERNEL_TABLE int32_t *scales) {
    return rounds_once(scales[2]) ? 0 : scales[4];
}

KERNEL_INLINE int32_t pair_bias_b(KERNEL_TABLE int32_t *scales) {
    return rounds_once(scales[2]) ? (int32_t)((uint32_t)scales[1] - (uint32_t)scales[0]) >> 8 : scales[1];
}

KERNEL_INLINE int32_t pair_scaling_b(KERNEL_TABLE int32_t *scales) {
    return rounds_once(scales[2]) ? scales[5] >> 8 : scales[5];
}

KERNEL_INLINE struct pair_sums multiply_pair(KERNEL_TABLE int8_t *w, KERNEL_TABLE int32_t *scales, const int8_t *x,
                                             int32_t depth) {
    struct pair_sums sums =
        pair_flags(scales) & PAIR_BYTES ? multiply_bytes(w, x, depth) : multiply_numbers(w, x, depth);
    sums.a += scales[0];
    sums.b += pair_bias_b(scales);
    return sums;
}

/* floor((floor(accumulator * multiplier / 2^32) + offset) / 2^ONE_SHIFT): the bias was moved so that this is what two roundings give. */
KERNEL_INLINE int8_t rescale_once_s8(int32_t accumulator, int32_t multiplier, int32_t offset) {
    const int32_t high = (int32_t)((int64_t)accumulator * multiplier >> 32);
    return clamp_s8((high + offset) >> ONE_SHIFT, -128, 127);
}

/* `rounding` is 1 + 2 * zero_point; the shift goes to the right. */
KERNEL_INLINE int8_t requantize_s8(int32_t accumulator, int32_t multiplier_minus, int32_t halving_shift,
                                   int32_t rounding) {
    const int32_t t = doubling_high_multiply(accumulator, multiplier_minus);
    return clamp_s8((((t - (t < 0 ? 1 : 0)) >> halving_shift) + rounding) >> 1, -128, 127);
}

KERNEL_INLINE int8_t rescale_pair_s8(int32_t accumulator, int32_t multiplier, int32_t scaling, int32_t rounding) {
    if (rounds_once(multiplier)) {
        return rescale_once_s8(accumulator, multiplier, scaling);
    }
    if (scaling >= 0) {
        return requantize_s8(accumulator, multiplier, scaling & 0xff, rounding);
    }
    const int32_t shifted = accumulator * (INT32_C(1) << (scaling >> 8 & 0x1f));
    return clamp_s8(doubling_high_multiply(shifted, multiplier) + (rounding >> 1), -128, 127);
}

#endif
