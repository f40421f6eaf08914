/* SPDX-License-Identifier: Apache-2.0
 * The walk of every kernel on two operands, either of them broadcast.
 *
 * TFLM takes up to 6 dimensions (runtime_shape.h). The exporter joins those that are walked alike, so that most models
 * have one loop or two; the others count to 1, and where a kernel is inlined nothing is left of them.
 */
#ifndef TINYPROOF_KERNELS_BROADCAST_H
#define TINYPROOF_KERNELS_BROADCAST_H

#include "requantize.h"

/* Members of a kernel's parameter struct. */
#define BROADCAST_LOOPS                                                                                                \
    int32_t counts[6]; /* nested loops over the output, outermost first */                                             \
    int32_t steps1[6]; /* of input1 in elements, 0 where it is broadcast; the last is 0 or 1 */                        \
    int32_t steps2[6]

/* One loop: the pointers `inner` walk from where `outer` stand. */
#define BROADCAST_LOOP(p, type1, type2, level, outer, inner)                                                           \
    const type1 *inner##1 = outer##1;                                                                                  \
    const type2 *inner##2 = outer##2;                                                                                  \
    for (int32_t inner##_left = (p)->counts[level]; inner##_left > 0;                                                  \
         inner##_left--, inner##1 += (p)->steps1[level], inner##2 += (p)->steps2[level])

/* Runs `statement` for every element of the output, in its order: `x1` and `x2` point to the operands, `output` to the
 * element. `output` may be the same as an input that is not broadcast. */
#define BROADCAST(p, type1, type2, statement)                                                                          \
    {                                                                                                                  \
        BROADCAST_LOOP(p, type1, type2, 0, input, a) {                                                                 \
            BROADCAST_LOOP(p, type1, type2, 1, a, b) {                                                                 \
                BROADCAST_LOOP(p, type1, type2, 2, b, c) {                                                             \
                    BROADCAST_LOOP(p, type1, type2, 3, c, d) {                                                         \
                        BROADCAST_LOOP(p, type1, type2, 4, d, e) {                                                     \
                            BROADCAST_LOOP(p, type1, type2, 5, e, x) {                                                 \
                                statement;                                                                             \
                                output++;                                                                              \
                            }                                                                                          \
                        }                                                                                              \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

/* The same for every row of the innermost loop: `x1` and `x2` point to its operands. */
#define BROADCAST_ROWS(p, type1, type2, statement)                                                                     \
    {                                                                                                                  \
        BROADCAST_LOOP(p, type1, type2, 0, input, a) {                                                                 \
            BROADCAST_LOOP(p, type1, type2, 1, a, b) {                                                                 \
                BROADCAST_LOOP(p, type1, type2, 2, b, c) {                                                             \
                    BROADCAST_LOOP(p, type1, type2, 3, c, d) {                                                         \
                        BROADCAST_LOOP(p, type1, type2, 4, d, x) {                                                     \
                            statement;                                                                                 \
                            output += (p)->counts[5];                                                                  \
                        }                                                                                              \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

KERNEL_INLINE int32_t clamp_s32(int32_t value, int32_t min, int32_t max) {
    value = value < min ? min : value;
    return value > max ? max : value;
}

/* A sum or product of 32 bits that wraps around, as it does in the interpreter. */
KERNEL_INLINE int32_t wrap_s32(uint32_t value) {
    return value <= (uint32_t)INT32_MAX ? (int32_t)value : -(int32_t)(UINT32_MAX - value) - 1;
}

#endif
