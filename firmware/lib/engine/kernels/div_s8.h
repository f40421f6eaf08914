/* SPDX-License-Identifier: Apache-2.0
 * DIV, int8. Bit-exact with TFLite Micro (reference/div.h, DivElementwise): the dividend, with all its sign bits but one
 * shifted out, times the divisor's reciprocal, of which the exporter has made a table.
 */
#ifndef TINYPROOF_KERNELS_DIV_S8_H
#define TINYPROOF_KERNELS_DIV_S8_H

#include "broadcast.h"

struct div_s8 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    KERNEL_TABLE int32_t *reciprocals; /* [256] of the divisor's magnitude, by its byte taken as unsigned */
    KERNEL_TABLE int8_t *shifts;       /* [256], to the right, and the quotient's, which may be to the left */
    int32_t multiplier;                /* of the quotient, encoded as in requantize.h */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE int8_t div_s8_element(int8_t dividend, int8_t divisor, const struct div_s8 *p) {
    const int32_t x1 = divisor < p->zero_point2 ? p->zero_point1 - dividend : dividend - p->zero_point1;
    int32_t headroom = 31;
    for (int32_t rest = x1 < 0 ? -1 - x1 : x1; rest > 0; rest >>= 1) {
        headroom--;
    }
    const int64_t normal = x1 * (INT64_C(1) << headroom);
    const int32_t quotient = (int32_t)((normal * p->reciprocals[(uint8_t)divisor] + (INT64_C(1) << 30)) >> 31);
    const int32_t shift = headroom + p->shifts[(uint8_t)divisor] - 1;
    const int32_t y = requantize(quotient, p->multiplier, shift, 0, 0) + p->zero_point;
    return clamp_s8(y, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void div_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct div_s8 *p) {
    BROADCAST(p, int8_t, int8_t, *output = div_s8_element(*x1, *x2, p));
}

#endif
