/* SPDX-License-Identifier: Apache-2.0
 * SELECT_V2, int8. Bit-exact with TFLite Micro (reference/select.h). One call writes where the condition is true, another
 * one where it is not; the output is no operand's.
 */
#ifndef TINYPROOF_KERNELS_SELECT_S8_H
#define TINYPROOF_KERNELS_SELECT_S8_H

#include "broadcast.h"

struct select_s8 {
    BROADCAST_LOOPS;
    int32_t when; /* 1 or 0: the condition for which input2 is taken */
};

KERNEL_INLINE void select_s8(const uint8_t *input1, const int8_t *input2, int8_t *output, const struct select_s8 *p) {
    BROADCAST(p, uint8_t, int8_t, if ((*x1 != 0) == p->when) *output = *x2);
}

#endif
