/* SPDX-License-Identifier: Apache-2.0
 * TFLite Micro's fixed-point rescaling, bit for bit, without undefined behaviour.
 * Source: tflite-micro, tensorflow/lite/kernels/internal/common.h, MultiplyByQuantizedMultiplier with two roundings.
 *
 * The exporter has proven for every accumulator of the model that no sum or shift here leaves 32 bits.
 */
#ifndef TINYPROOF_KERNELS_REQUANTIZE_H
#define TINYPROOF_KERNELS_REQUANTIZE_H

#include <stdint.h>

#include "compiler.h"

/* The generated code and the kernels agree on parameter structs and table layouts by this number. */
#define KERNELS_ABI 6

/* round(a * multiplier / 2^31), ties toward +infinity: gemmlowp's SaturatingRoundingDoublingHighMul.
 * `multiplier_minus` is 2 * multiplier - 2^32, which fits since TFLite's multipliers lie in [2^30, 2^31): the product is
 * then a * multiplier_minus / 2^32 + a, the upper word of a 32 by 32 multiply and an addition.
 */
KERNEL_INLINE int32_t doubling_high_multiply(int32_t a, int32_t multiplier_minus) {
    /* Right shifts of negative numbers are arithmetic in every compiler that this is built with. */
    return (int32_t)(((int64_t)a * multiplier_minus + (INT64_C(1) << 31)) >> 32) + a;
}

/* round(a / 2^(halving_shift + 1)) + zero_point, ties away from zero: gemmlowp's RoundingDivideByPOT. The last bit is
 * halved apart, so that the rounding and the zero point are one constant: floor((floor(t / m) + 1) / 2) is
 * floor((t + m) / 2m).
 */
KERNEL_INLINE int32_t rounding_shift_right(int32_t a, int32_t halving_shift, int32_t zero_point) {
    const int32_t t = a - (a < 0 ? 1 : 0);
    return ((t >> halving_shift) + (1 + 2 * zero_point)) >> 1;
}

/* zero_point + accumulator * multiplier * 2^(shift - 31). `shift` is encoded: -1 - s for TFLite's s <= -1, so that it is
 * the halving shift; otherwise, for a shift to the left, -1 - s is negative. `shifts_right`: no shift of the table is.
 */
KERNEL_INLINE int32_t requantize(int32_t accumulator, int32_t multiplier_minus, int32_t shift, int32_t shifts_right,
                                 int32_t zero_point) {
    if (shifts_right || shift >= 0) {
        return rounding_shift_right(doubling_high_multiply(accumulator, multiplier_minus), shift, zero_point);
    }
    return doubling_high_multiply(accumulator * (INT32_C(1) << (-1 - shift)), multiplier_minus) + zero_point;
}

KERNEL_INLINE int8_t clamp_s8(int32_t value, int32_t min, int32_t max) {
    value = value < min ? min : value;
    value = value > max ? max : value;
    return (int8_t)value;
}

#endif
