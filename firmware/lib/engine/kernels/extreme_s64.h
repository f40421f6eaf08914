/* SPDX-License-Identifier: Apache-2.0
 * MAXIMUM and MINIMUM, int64: of the numbers as they stand, whatever they mean. Bit-exact with TFLite Micro
 * (reference/maximum_minimum.h).
 */
#ifndef TINYPROOF_KERNELS_EXTREME_S64_H
#define TINYPROOF_KERNELS_EXTREME_S64_H

#include "broadcast.h"

struct extreme_s64 {
    BROADCAST_LOOPS;
    int32_t largest; /* 1: MAXIMUM, 0: MINIMUM */
};

KERNEL_INLINE void extreme_s64(const int64_t *input1, const int64_t *input2, int64_t *output,
                               const struct extreme_s64 *p) {
    BROADCAST(p, int64_t, int64_t, *output = (*x1 > *x2) == p->largest ? *x1 : *x2);
}

#endif
