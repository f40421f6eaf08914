/* SPDX-License-Identifier: Apache-2.0
 * MUL, int8, either operand broadcast. Bit-exact with TFLite Micro (reference/integer_ops/mul.h).
 */
#ifndef TINYPROOF_KERNELS_MUL_S8_H
#define TINYPROOF_KERNELS_MUL_S8_H

#include "kernels/mul_s8_element.h"

KERNEL_INLINE void mul_s8(const int8_t *input1, const int8_t *input2, int8_t *output, const struct mul_s8 *p) {
    const struct mul_s8 local = *p; /* an int8 written may alias *p, but not this */
    BROADCAST(&local, int8_t, int8_t, *output = mul_s8_element(*x1, *x2, &local));
}

#endif
