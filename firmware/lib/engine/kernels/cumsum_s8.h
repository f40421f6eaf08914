/* SPDX-License-Identifier: Apache-2.0
 * CUMSUM along one dimension, int8: input and output [outer][count][inner]. Bit-exact with TFLite Micro
 * (reference/cumsum.h), whose sums begin with what a byte of 0 stands for.
 */
#ifndef TINYPROOF_KERNELS_CUMSUM_S8_H
#define TINYPROOF_KERNELS_CUMSUM_S8_H

#include "broadcast.h"

struct cumsum_s8 {
    int32_t outer;
    int32_t count;
    int32_t inner;
    int32_t first; /* place in the dimension at which a sum begins */
    int32_t step;  /* in elements to the next place */
    int32_t exclusive;
    int32_t input_zero_point;
    int32_t multiplier; /* of the sum times 2^19, encoded as in requantize.h, like the shift */
    int32_t shift;
    int32_t zero_point;
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void cumsum_s8(const int8_t *input, int8_t *output, const struct cumsum_s8 *p) {
    for (int32_t outer = 0; outer < p->outer; outer++) {
        for (int32_t inner = 0; inner < p->inner; inner++) {
            int32_t place = (outer * p->count + p->first) * p->inner + inner;
            int32_t sum = -p->input_zero_point;
            for (int32_t left = p->count; left > 0; left--, place += p->step) {
                const int32_t next = sum + input[place] - p->input_zero_point;
                const int32_t shown = p->exclusive ? sum : next;
                const int32_t y = requantize(shown * (INT32_C(1) << 19), p->multiplier, p->shift, 0, 0) + p->zero_point;
                output[place] = clamp_s8(y, INT8_MIN, INT8_MAX);
                sum = next;
            }
        }
    }
}

#endif
