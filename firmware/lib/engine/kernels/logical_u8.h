/* SPDX-License-Identifier: Apache-2.0
 * LOGICAL_AND, LOGICAL_OR, and EQUAL and NOT_EQUAL of bool: a table of four answers. Bit-exact with TFLite Micro
 * (micro/kernels/logical_common.cc, reference/comparisons.h).
 */
#ifndef TINYPROOF_KERNELS_LOGICAL_U8_H
#define TINYPROOF_KERNELS_LOGICAL_U8_H

#include "broadcast.h"

struct logical_u8 {
    BROADCAST_LOOPS;
    uint32_t answers; /* bit 2 x1 + x2: the answer */
};

KERNEL_INLINE void logical_u8(const uint8_t *input1, const uint8_t *input2, uint8_t *output,
                              const struct logical_u8 *p) {
    BROADCAST(p, uint8_t, uint8_t, *output = (uint8_t)(p->answers >> (2 * (*x1 != 0) + (*x2 != 0)) & 1));
}

#endif
