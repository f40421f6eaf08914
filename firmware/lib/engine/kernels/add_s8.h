/* SPDX-License-Identifier: Apache-2.0
 * ADD and SUB, int8, either operand broadcast. Bit-exact with TFLite Micro (reference/integer_ops/add.h, reference/sub.h).
 *
 * TFLM brings both operands to twice the larger scale, with 20 more bits. For the operand that has it (input1 here) that
 * is an exact shift by 19; the exporter orders the operands, and `sign1`, `sign2` say which is subtracted.
 */
#ifndef TINYPROOF_KERNELS_ADD_S8_H
#define TINYPROOF_KERNELS_ADD_S8_H

#include "kernels/add_s8_element.h"

KERNEL_INLINE void add_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct add_s8 *p) {
    const struct add_s8 local = *p; /* an int8 written may alias *p, but not this */
    BROADCAST(&local, int8_t, int8_t, *output = add_s8_element(*x1, *x2, &local));
}

#endif
