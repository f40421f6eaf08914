/* SPDX-License-Identifier: Apache-2.0
 * The walk of every kernel that makes one element of all those along some dimensions of its input.
 *
 * Eight dimensions, which is the most that a model has, are at most four runs of kept ones and four of others once
 * neighbours are joined; loops that no model needs count to 1, and where a kernel is inlined nothing is left of them.
 */
#ifndef TINYPROOF_KERNELS_REDUCE_H
#define TINYPROOF_KERNELS_REDUCE_H

#include "broadcast.h"

/* Members of a kernel's parameter struct. */
#define REDUCE_LOOPS                                                                                                   \
    int32_t kept_counts[4]; /* nested loops over the output, outermost first */                                        \
    int32_t kept_steps[4];  /* in the input, in elements */                                                            \
    int32_t reduced_counts[4];                                                                                         \
    int32_t reduced_steps[4]

#define REDUCE_LOOP(p, type, kind, level, outer, inner)                                                                \
    const type *inner = outer;                                                                                         \
    for (int32_t inner##_left = (p)->kind##_counts[level]; inner##_left > 0;                                           \
         inner##_left--, (inner) += (p)->kind##_steps[level])

/* For every element of the output, in its order: sets it to `value`, with `first` pointing to the first element of the
 * input that belongs to it. No element lies behind the place of its answer, so `output` may be the same as `input`. */
#define REDUCE(p, type, value)                                                                                         \
    do {                                                                                                               \
        REDUCE_LOOP(p, type, kept, 0, input, a) {                                                                      \
            REDUCE_LOOP(p, type, kept, 1, a, b) {                                                                      \
                REDUCE_LOOP(p, type, kept, 2, b, c) {                                                                  \
                    REDUCE_LOOP(p, type, kept, 3, c, first) {                                                          \
                        *output++ = (type)(value);                                                                     \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* Runs `statement` for all elements that belong to one of the output, with `x` pointing there. */
#define REDUCE_EACH(p, type, statement)                                                                                \
    do {                                                                                                               \
        REDUCE_LOOP(p, type, reduced, 0, first, a) {                                                                   \
            REDUCE_LOOP(p, type, reduced, 1, a, b) {                                                                   \
                REDUCE_LOOP(p, type, reduced, 2, b, c) {                                                               \
                    REDUCE_LOOP(p, type, reduced, 3, c, x) {                                                           \
                        statement;                                                                                     \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
