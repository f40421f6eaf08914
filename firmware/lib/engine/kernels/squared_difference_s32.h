/* SPDX-License-Identifier: Apache-2.0
 * SQUARED_DIFFERENCE, int32 without quantization, around 2^32 where it leaves 32 bits. Bit-exact with TFLite Micro
 * (micro/kernels/squared_difference.cc).
 */
#ifndef TINYPROOF_KERNELS_SQUARED_DIFFERENCE_S32_H
#define TINYPROOF_KERNELS_SQUARED_DIFFERENCE_S32_H

#include "broadcast.h"

struct squared_difference_s32 {
    BROADCAST_LOOPS;
};

KERNEL_INLINE int32_t squared_difference_s32_element(int32_t x1, int32_t x2) {
    const uint32_t difference = (uint32_t)x1 - (uint32_t)x2;
    return wrap_s32(difference * difference);
}

KERNEL_INLINE void squared_difference_s32(const int32_t *input1, const int32_t *input2, int32_t *output,
                                          const struct squared_difference_s32 *p) {
    BROADCAST(p, int32_t, int32_t, *output = squared_difference_s32_element(*x1, *x2));
}

#endif
