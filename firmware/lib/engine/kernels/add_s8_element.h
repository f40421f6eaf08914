/* SPDX-License-Identifier: Apache-2.0
 * What add_s8 knows of its layer, on any core, and one element of it.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_ELEMENT_H
#define TINYPROOF_KERNELS_ADD_S8_ELEMENT_H

#include "kernels/broadcast.h"

struct add_s8 {
    BROADCAST_LOOPS;
    int32_t zero_point1;
    int32_t zero_point2;
    int32_t sign1; /* 1 or -1 */
    int32_t sign2;
    int32_t multiplier2; /* of input2, then of the sum: encoded as in requantize.h, like the shifts */
    int32_t shift2;
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
};

KERNEL_INLINE int8_t add_s8_element(int32_t x1, int32_t x2, const struct add_s8 *p) {
    const int32_t scaled1 = (x1 - p->zero_point1) * (INT32_C(1) << 19);
    const int32_t scaled2 = requantize((x2 - p->zero_point2) * (INT32_C(1) << 20), p->multiplier2, p->shift2, 0, 0);
    const int32_t sum = p->sign1 * scaled1 + p->sign2 * scaled2;
    return clamp_s8(requantize(sum, p->multiplier, p->shift, 0, p->zero_point), p->clamp_min, p->clamp_max);
}

#endif
