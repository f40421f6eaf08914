/* SPDX-License-Identifier: Apache-2.0
 * L2_NORMALIZATION along the last dimension, int8. Bit-exact with TFLite Micro
 * (reference/integer_ops/l2normalization.h, and common.h, GetInvSqrtQuantizedMultiplierExp).
 */
#ifndef TINYPROOF_KERNELS_L2_NORMALIZATION_S8_H
#define TINYPROOF_KERNELS_L2_NORMALIZATION_S8_H

#include "fixed_point.h"

struct l2_normalization_s8 {
    int32_t rows;
    int32_t depth;
    int32_t zero_point; /* of the input; the output's is 0 */
};

struct inverse_root {
    int32_t multiplier;
    int32_t right_shift;
};

/* 1 / sqrt(sum) as multiplier * 2^-(31 + right_shift): five steps of Newton and Raphson in Q3.28, from 1. */
KERNEL_INLINE struct inverse_root l2_normalization_inverse_root(int32_t sum) {
    struct inverse_root root = {INT32_MAX, 0};
    if (sum <= 1) {
        return root;
    }
    root.right_shift = 11;
    while (sum >= INT32_C(1) << 29) {
        sum /= 4;
        root.right_shift++;
    }
    while (sum < INT32_C(1) << 27) {
        sum *= 4;
        root.right_shift--;
    }
    const int32_t half = rounding_shift_right(sum >> 1, 0, 0);
    int32_t x = INT32_C(1) << 28;
    for (int32_t step = 0; step < 5; step++) {
        const int32_t cube = saturating_shift_left(fixed_point_multiply(fixed_point_multiply(x, x), x), 6);
        const int32_t next =
            fixed_point_multiply((INT32_C(1) << 28) + (INT32_C(1) << 27), x) - fixed_point_multiply(half, cube);
        x = saturating_shift_left(next, 3);
    }
    root.multiplier = fixed_point_multiply(x, INT32_C(1518500250)); /* the square root of a half */
    while (root.right_shift < 0) {
        root.multiplier *= 2;
        root.right_shift++;
    }
    return root;
}

/* `input` and `output` may be the same. */
KERNEL_INLINE void l2_normalization_s8(const int8_t *input, int8_t *output, const struct l2_normalization_s8 *p) {
    for (int32_t row = p->rows; row > 0; row--) {
        int32_t sum = 0;
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->zero_point;
            sum += x * x;
        }
        const struct inverse_root root = l2_normalization_inverse_root(sum);
        const int32_t shift = root.right_shift - 7; /* the output's scale is 2^-7 */
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->zero_point;
            const int32_t shifted = shift < 0 ? x * (INT32_C(1) << -shift) : x;
            int32_t y = fixed_point_multiply(shifted, root.multiplier);
            y = shift > 0 ? rounding_shift_right(y, shift - 1, 0) : y;
            output[i] = clamp_s8(y, INT8_MIN, INT8_MAX);
        }
        input += p->depth;
        output += p->depth;
    }
}

#endif
