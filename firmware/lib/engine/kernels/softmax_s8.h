/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX along the last dimension, int8 to int8 (softmax.h).
 */
#ifndef TINYPROOF_KERNELS_SOFTMAX_S8_H
#define TINYPROOF_KERNELS_SOFTMAX_S8_H

#include "softmax.h"

struct softmax_s8 {
    SOFTMAX_TABLE;
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void softmax_s8(const int8_t *input, int8_t *output, const struct softmax_s8 *p) {
    SOFTMAX(p, int8_t, 8, INT8_MIN, INT8_MAX);
}

#endif
