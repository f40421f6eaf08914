/* SPDX-License-Identifier: Apache-2.0
 * 1 / sqrt(x) in fixed point, for L2_NORMALIZATION and RSQRT. Bit-exact with TFLite Micro (common.h,
 * GetInvSqrtQuantizedMultiplierExp).
 */
#ifndef TINYPROOF_KERNELS_INVERSE_ROOT_H
#define TINYPROOF_KERNELS_INVERSE_ROOT_H

#include "fixed_point.h"

struct inverse_root {
    int32_t multiplier;
    int32_t right_shift;
};

/* 1 / sqrt(sum) as multiplier * 2^-(31 + right_shift): five steps of Newton and Raphson in Q3.28, from 1. */
KERNEL_INLINE struct inverse_root inverse_root_of(int32_t sum) {
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

#endif
