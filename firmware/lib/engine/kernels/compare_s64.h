/* SPDX-License-Identifier: Apache-2.0
 * EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER and GREATER_EQUAL, int64. Bit-exact with TFLite Micro
 * (reference/comparisons.h). The exporter exchanges operands where needed: all are "equal", "less" or the opposite.
 */
#ifndef TINYPROOF_KERNELS_COMPARE_S64_H
#define TINYPROOF_KERNELS_COMPARE_S64_H

#include "broadcast.h"

struct compare_s64 {
    BROADCAST_LOOPS;
    int32_t equality; /* 1: equal, 0: less */
    int32_t opposite; /* 1: the answer is exchanged */
};

KERNEL_INLINE void compare_s64(const int64_t *input1, const int64_t *input2, uint8_t *output,
                               const struct compare_s64 *p) {
    BROADCAST(p, int64_t, int64_t, *output = (p->equality ? *x1 == *x2 : *x1 < *x2) != p->opposite);
}

#endif
