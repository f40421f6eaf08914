/* SPDX-License-Identifier: Apache-2.0
 * MAXIMUM and MINIMUM, int32: of the numbers as they stand, whatever they mean. Bit-exact with TFLite Micro
 * (reference/maximum_minimum.h).
 */
#ifndef TINYPROOF_KERNELS_EXTREME_S32_H
#define TINYPROOF_KERNELS_EXTREME_S32_H

#include "broadcast.h"

struct extreme_s32 {
    BROADCAST_LOOPS;
    int32_t largest; /* 1: MAXIMUM, 0: MINIMUM */
};

KERNEL_INLINE void extreme_s32(const int32_t *input1, const int32_t *input2, int32_t *output,
                               const struct extreme_s32 *p) {
    BROADCAST(p, int32_t, int32_t, *output = (*x1 > *x2) == p->largest ? *x1 : *x2);
}

#endif
