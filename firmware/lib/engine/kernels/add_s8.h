/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int8, either operand broadcast. Bit-exact with TFLite Micro (reference/integer_ops/add.h, reference/sub.h).
 *
 * TFLM brings both operands to twice the larger scale, with 20 more bits. For the operand that has it (input1 here) that
 * is an exact shift by 19; the exporter orders the operands, and `sign1`, `sign2` say which is subtracted.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_H
#define TINYPROOF_KERNELS_ADD_S8_H

#include "requantize.h"

struct add_s8 {
    int32_t counts[4]; /* nested loops over the output, outermost first */
    int32_t steps1[4]; /* of input1 in bytes, 0 where it is broadcast; the last is 0 or 1 */
    int32_t steps2[4];
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

/* `output` may be the same as an input that is not broadcast. */
KERNEL_INLINE void add_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct add_s8 *p) {
    for (int32_t a = 0; a < p->counts[0]; a++) {
        for (int32_t b = 0; b < p->counts[1]; b++) {
            for (int32_t c = 0; c < p->counts[2]; c++) {
                const int8_t *x1 = input1 + a * p->steps1[0] + b * p->steps1[1] + c * p->steps1[2];
                const int8_t *x2 = input2 + a * p->steps2[0] + b * p->steps2[1] + c * p->steps2[2];
                for (int32_t left = p->counts[3]; left > 0; left--) {
                    *output++ = add_s8_element(*x1, *x2, p);
                    x1 += p->steps1[3];
                    x2 += p->steps2[3];
                }
            }
        }
    }
}

#endif
