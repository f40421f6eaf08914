/* SPDX-License-Identifier: Apache-2.0
 * The walk of kernels on two operands of int8 (broadcast.h), whose innermost loop is one of vectors.
 */
#ifndef TINYPROOF_KERNELS_ELEMENTWISE_H
#define TINYPROOF_KERNELS_ELEMENTWISE_H

#include "kernels/broadcast.h"
#include "kernels/mve.h"

/* A multiplier as TFLite has it, from what requantize.h makes of it. */
KERNEL_INLINE int32_t mve_multiplier(int32_t multiplier_minus) {
    return (int32_t)((uint32_t)multiplier_minus >> 1);
}

/* `shift` is encoded, too: its parts to the left and to the right, and whether there is anything to round. */
KERNEL_INLINE int32_t mve_left(int32_t shift) {
    return shift < 0 ? -1 - shift : 0;
}
KERNEL_INLINE int32_t mve_right(int32_t shift) {
    return shift < 0 ? 0 : -1 - shift;
}
KERNEL_INLINE int32_t mve_rounds(int32_t shift) {
    return shift < 0 ? 0 : 1;
}

/* `count` elements that follow one another, at least one; `layer` is the kernel's parameter struct. */
typedef void elementwise_many(const int8_t *x1, const int8_t *x2, int8_t *output, int32_t count, const void *layer);

/* The innermost loop; an operand that stays where it is becomes a vector of its own. */
KERNEL_INLINE void elementwise_row(elementwise_many *many, const int8_t *x1, int32_t step1, const int8_t *x2,
                                   int32_t step2, int8_t *output, int32_t count, const void *layer) {
    if (count == 1 || (step1 && step2)) {
        many(x1, x2, output, count, layer);
        return;
    }
    int8_t same[MVE_BYTES];
    mve_fill(same, step1 ? *x2 : *x1, MVE_BYTES);
    while (count > 0) {
        const int32_t next = count < MVE_BYTES ? count : MVE_BYTES;
        many(step1 ? x1 : same, step2 ? x2 : same, output, next, layer);
        x1 += next;
        x2 += next;
        output += next;
        count -= next;
    }
}

/* Calls `many` for all elements. */
#define ELEMENTWISE(p, many)                                                                                           \
    BROADCAST_LOOP(p, int8_t, int8_t, 0, input, a) {                                                                   \
        BROADCAST_LOOP(p, int8_t, int8_t, 1, a, b) {                                                                   \
            BROADCAST_LOOP(p, int8_t, int8_t, 2, b, c) {                                                               \
                BROADCAST_LOOP(p, int8_t, int8_t, 3, c, d) {                                                           \
                    BROADCAST_LOOP(p, int8_t, int8_t, 4, d, e) {                                                       \
                        elementwise_row(many, e1, (p)->steps1[5], e2, (p)->steps2[5], output, (p)->counts[5], p);      \
                        output += (p)->counts[5];                                                                      \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

#endif
