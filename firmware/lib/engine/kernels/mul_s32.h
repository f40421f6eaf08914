/* SPDX-License-Identifier: Apache-2.0
 * MUL, int32 without quantization, around 2^32 where it leaves 32 bits. Bit-exact with TFLite Micro (reference/mul.h).
 */
#ifndef TINYPROOF_KERNELS_MUL_S32_H
#define TINYPROOF_KERNELS_MUL_S32_H

#include "broadcast.h"

struct mul_s32 {
    BROADCAST_LOOPS;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE void mul_s32(const int32_t *input1, const int32_t *input2, int32_t *output, const struct mul_s32 *p) {
    BROADCAST(p, int32_t, int32_t,
              *output = clamp_s32(wrap_s32((uint32_t)*x1 * (uint32_t)*x2), p->clamp_min, p->clamp_max));
}

#endif
