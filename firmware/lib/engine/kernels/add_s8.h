/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int8, either operand broadcast. Bit-exact with TFLite Micro (reference/integer_ops/add.h, reference/sub.h).
 *
 * TFLM brings both operands to twice the larger scale, with 20 more bits. For the operand that has it (input1 here) that
 * is an exact shift by 19; the exporter orders the operands, and `sign1`, `sign2` say which is subtracted.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_H
#define TINYPROOF_KERNELS_ADD_S8_H

#include "broadcast.h"

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

KERNEL_INLINE void add_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct add_s8 *p) {
    const struct add_s8 local = *p; /* an int8 written may alias *p, but not this */
    BROADCAST(&local, int8_t, int8_t, *output = add_s8_element(*x1, *x2, &local));
}

#endif
