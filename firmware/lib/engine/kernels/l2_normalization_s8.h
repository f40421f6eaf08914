/* SPDX-License-Identifier: Apache-2.0
 * L2_NORMALIZATION along the last dimension, int8. Bit-exact with TFLite Micro
 * (reference/integer_ops/l2normalization.h).
 */
#ifndef TINYPROOF_KERNELS_L2_NORMALIZATION_S8_H
#define TINYPROOF_KERNELS_L2_NORMALIZATION_S8_H

#include "inverse_root.h"

struct l2_normalization_s8 {
    int32_t rows;
    int32_t depth;
    int32_t zero_point; /* of the input; the output's is 0 */
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void l2_normalization_s8(const int8_t *input, int8_t *output, const struct l2_normalization_s8 *p) {
    for (int32_t row = p->rows; row > 0; row--) {
        int32_t sum = 0;
        for (int32_t i = 0; i < p->depth; i++) {
            const int32_t x = input[i] - p->zero_point;
            sum += x * x;
        }
        const struct inverse_root root = inverse_root_of(sum);
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
