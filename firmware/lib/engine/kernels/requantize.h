/* SPDX-License-Identifier: Apache-2.0
 * TFLite Micro's fixed-point rescaling, bit for bit, without undefined behaviour.
 * Source: tflite-micro, tensorflow/lite/kernels/internal/common.h, MultiplyByQuantizedMultiplier with two roundings.
 *
 * The exporter has proven for every accumulator of the model that no sum or shift here leaves 32 bits.
 */
#ifndef TINYPROOF_KERNELS_REQUANTIZE_H
#define TINYPROOF_KERNELS_REQUANTIZE_H

#include <stdint.h>

/* The generated code and the kernels agree on parameter structs and table layouts by this number. */
#define KERNELS_ABI 1

#define KERNEL_INLINE static inline __attribute__((always_inline))

/* round(a * b / 2^31), ties toward +infinity: gemmlowp's SaturatingRoundingDoublingHighMul, where b is never INT32_MIN. */
KERNEL_INLINE int32_t doubling_high_multiply(int32_t a, int32_t b) {
    /* Right shifts of negative numbers are arithmetic in every compiler that this is built with. */
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* round(a / 2^exponent), ties away from zero, exponent >= 1: gemmlowp's RoundingDivideByPOT. */
KERNEL_INLINE int32_t rounding_shift_right(int32_t a, int32_t exponent) {
    const int32_t half = INT32_C(1) << (exponent - 1);
    return (a + half - (a < 0 ? 1 : 0)) >> exponent;
}

/* accumulator * multiplier * 2^(shift - 31). `shifts_right` says that every shift of this table is negative. */
KERNEL_INLINE int32_t requantize(int32_t accumulator, int32_t multiplier, int32_t shift, int32_t shifts_right) {
    if (shifts_right || shift < 0)
        return rounding_shift_right(doubling_high_multiply(accumulator, multiplier), -shift);
    return doubling_high_multiply(accumulator * (INT32_C(1) << shift), multiplier);
}

KERNEL_INLINE int8_t clamp_s8(int32_t value, int32_t min, int32_t max) {
    value = value < min ? min : value;
    value = value > max ? max : value;
    return (int8_t)value;
}

#endif
