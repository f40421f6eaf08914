/* SPDX-License-Identifier: Apache-2.0
 * rescale_pair_s8 of pairs.h for cores that branch more cheaply than they clamp.
 */
#ifndef TINYPROOF_KERNELS_RESCALE_UNITS_H
#define TINYPROOF_KERNELS_RESCALE_UNITS_H

#include "kernels/pairs.h"

/* Most outputs need no clamp: they are looked at once. */
KERNEL_INLINE void store_s8(int8_t *to, int32_t y) {
    if ((uint32_t)(y + 128) <= 255U) {
        *to = (int8_t)y;
    } else {
        *to = y < 0 ? -128 : 127;
    }
}

/* doubling_high_multiply of requantize.h: the lower word carries where its highest bit is set. */
KERNEL_INLINE int32_t high_multiply(int32_t a, int32_t multiplier) {
    const int64_t product = (int64_t)a * multiplier;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31) + a;
}

/* Outputs that are still to be clamped: rescaled to the right, or with a factor of 1/2 or more. */
KERNEL_INLINE int32_t rescale_right(int32_t sum, int32_t multiplier, int32_t halving_shift, int32_t rounding) {
    const int32_t t = high_multiply(sum, multiplier);
    return (((t + (t >> 31)) >> (halving_shift & 0x1f)) + rounding) >> 1;
}

KERNEL_INLINE int32_t rescale_left(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point) {
    return high_multiply(sum * (INT32_C(1) << shift), multiplier) + zero_point;
}

/* rescale_once_s8 of pairs.h, to be clamped. */
KERNEL_INLINE int32_t rescale_once(int32_t sum, int32_t multiplier, int32_t offset) {
    return ((int32_t)((int64_t)sum * multiplier >> 32) + offset) >> ONE_SHIFT;
}

/* By two roundings; `scaling` as in pairs.h, `rounding` is 1 + 2 * zero_point. */
KERNEL_INLINE int32_t rescale_unit(int32_t sum, int32_t multiplier, int32_t scaling, int32_t rounding) {
    if (__builtin_expect(scaling >= 0, 1)) {
        return rescale_right(sum, multiplier, scaling, rounding);
    }
    return rescale_left(sum, multiplier, scaling >> 8 & 0x1f, rounding >> 1);
}

#endif
