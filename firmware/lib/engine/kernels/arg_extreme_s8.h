/* SPDX-License-Identifier: Apache-2.0
 * ARG_MAX and ARG_MIN along one dimension, int8 to int32: input [outer][count][inner], output [outer][inner]. The first of
 * equals. Bit-exact with TFLite Micro (reference/arg_min_max.h).
 */
#ifndef TINYPROOF_KERNELS_ARG_EXTREME_S8_H
#define TINYPROOF_KERNELS_ARG_EXTREME_S8_H

#include "requantize.h"

struct arg_extreme_s8 {
    int32_t outer;
    int32_t count;
    int32_t inner;
    int32_t flip; /* 0: the largest; -1: the smallest, which is the largest of all bits inverted */
};

KERNEL_INLINE void arg_extreme_s8(const int8_t *input, int32_t *output, const struct arg_extreme_s8 *p) {
    for (int32_t outer = p->outer; outer > 0; outer--) {
        for (int32_t inner = 0; inner < p->inner; inner++) {
            const int8_t *element = input + inner;
            int32_t best = *element ^ p->flip, place = 0;
            for (int32_t i = 1; i < p->count; i++) {
                element += p->inner;
                const int32_t value = *element ^ p->flip;
                if (value > best) {
                    best = value;
                    place = i;
                }
            }
            *output++ = place;
        }
        input += p->count * p->inner;
    }
}

#endif
