/* SPDX-License-Identifier: Apache-2.0
 * MAXIMUM and MINIMUM, int8: of the numbers as they stand, whatever they mean. Bit-exact with TFLite Micro
 * (reference/maximum_minimum.h).
 */
#ifndef TINYPROOF_KERNELS_EXTREME_S8_H
#define TINYPROOF_KERNELS_EXTREME_S8_H

#include "broadcast.h"

struct extreme_s8 {
    BROADCAST_LOOPS;
    int32_t largest; /* 1: MAXIMUM, 0: MINIMUM */
};

KERNEL_INLINE void extreme_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct extreme_s8 *p) {
    BROADCAST(p, int8_t, int8_t, *output = (*x1 > *x2) == p->largest ? *x1 : *x2);
}

#endif
