/* SPDX-License-Identifier: Apache-2.0
 * EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER and GREATER_EQUAL, int8. Bit-exact with TFLite Micro
 * (reference/comparisons.h, ComparisonWithScaling): it rescales both operands and compares what they are rounded to. The
 * exporter gives each byte the rank of that among all that both operands may be.
 */
#ifndef TINYPROOF_KERNELS_COMPARE_S8_H
#define TINYPROOF_KERNELS_COMPARE_S8_H

#include "broadcast.h"

struct compare_s8 {
    BROADCAST_LOOPS;
    int32_t equality; /* 1: equal, 0: less */
    int32_t opposite; /* 1: the answer is exchanged */
    KERNEL_TABLE int16_t *ranks1; /* [256], by the operand's byte taken as unsigned */
    KERNEL_TABLE int16_t *ranks2;
};

KERNEL_INLINE uint8_t compare_s8_element(int8_t x1, int8_t x2, const struct compare_s8 *p) {
    const int16_t rank1 = p->ranks1[(uint8_t)x1], rank2 = p->ranks2[(uint8_t)x2];
    return (p->equality ? rank1 == rank2 : rank1 < rank2) != p->opposite;
}

KERNEL_INLINE void compare_s8(const int8_t *input1, const int8_t *input2, uint8_t *output, const struct compare_s8 *p) {
    BROADCAST(p, int8_t, int8_t, *output = compare_s8_element(*x1, *x2, p));
}

#endif
