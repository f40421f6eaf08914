/* SPDX-License-Identifier: Apache-2.0
 * MAXIMUM and MINIMUM, int16: of the numbers as they stand, whatever they mean. Bit-exact with TFLite Micro
 * (reference/maximum_minimum.h).
 */
#ifndef TINYPROOF_KERNELS_EXTREME_S16_H
#define TINYPROOF_KERNELS_EXTREME_S16_H

#include "broadcast.h"

struct extreme_s16 {
    BROADCAST_LOOPS;
    int32_t largest; /* 1: MAXIMUM, 0: MINIMUM */
};

KERNEL_INLINE void extreme_s16(const int16_t *input1, const int16_t *input2, int16_t *output,
                               const struct extreme_s16 *p) {
    BROADCAST(p, int16_t, int16_t, *output = (*x1 > *x2) == p->largest ? *x1 : *x2);
}

#endif
