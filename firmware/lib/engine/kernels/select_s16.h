/* SPDX-License-Identifier: Apache-2.0
 * SELECT_V2, int16. Bit-exact with TFLite Micro (reference/select.h). One call writes where the condition is true, another
 * one where it is not; the output is no operand's.
 */
#ifndef TINYPROOF_KERNELS_SELECT_S16_H
#define TINYPROOF_KERNELS_SELECT_S16_H

#include "broadcast.h"

struct select_s16 {
    BROADCAST_LOOPS;
    int32_t when; /* 1 or 0: the condition for which input2 is taken */
};

KERNEL_INLINE void select_s16(const uint8_t *input1, const int16_t *input2, int16_t *output,
                              const struct select_s16 *p) {
    BROADCAST(p, uint8_t, int16_t, if ((*x1 != 0) == p->when) *output = *x2);
}

#endif
