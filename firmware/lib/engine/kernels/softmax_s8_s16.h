/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX along the last dimension, int8 to int16 (softmax.h).
 */
#ifndef TINYPROOF_KERNELS_SOFTMAX_S8_S16_H
#define TINYPROOF_KERNELS_SOFTMAX_S8_S16_H

#include "softmax.h"

struct softmax_s8_s16 {
    SOFTMAX_TABLE;
};

KERNEL_INLINE void softmax_s8_s16(const int8_t *input, int16_t *output, const struct softmax_s8_s16 *p) {
    SOFTMAX(p, int16_t, 16, INT16_MIN, INT16_MAX);
}

#endif
