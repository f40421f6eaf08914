/* SPDX-License-Identifier: Apache-2.0
 * LOGISTIC and TANH of int16 by straight lines between the entries of a table, bit-exact with TFLite Micro's
 * (reference/integer_ops/logistic.h, tanh.h).
 *
 * The table holds sigmoid(i / 24) - 1/2 in 0.16 for i = 0 to 255, then what either function answers beyond: 32766 for
 * LOGISTIC, 32767 for TANH, and 0. With y the value for |t|, that for a negative t is the same with all bits turned.
 */
#ifndef TINYPROOF_KERNELS_SIGMOID_S16_H
#define TINYPROOF_KERNELS_SIGMOID_S16_H

#include "kernels/sigmoid_between.h"

enum { SIGMOID_STEPS = 255, TANH_BEYOND = 257 };

/* `t`: 512 to an entry, not beyond the table. */
KERNEL_INLINE int32_t sigmoid_within_s16(int32_t t, KERNEL_TABLE int16_t *table) {
    const int32_t sign = t >> 31;
    const int32_t size = (t ^ sign) - sign;
    const int32_t y = sigmoid_between(table + (size >> 9), size & 511, 512);
    return ((y ^ sign) + (INT32_C(1) << 24) + 512) >> 10;
}

/* `t`: 256 to an entry. */
KERNEL_INLINE int32_t tanh_between_s16(int32_t t, KERNEL_TABLE int16_t *table) {
    const int32_t sign = t >> 31;
    int32_t size = (t ^ sign) - sign;
    size = size < SIGMOID_STEPS * 256 ? size : TANH_BEYOND * 256;
    const int32_t y = sigmoid_between(table + (size >> 8), size & 255, 256);
    return ((y ^ sign) + 128) >> 8;
}

#endif
