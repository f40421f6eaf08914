/* SPDX-License-Identifier: Apache-2.0
 * SignalOverlapAdd: a signal from frames that overlap, saturating. Bit-exact with TFLite Micro
 * (signal/src/overlap_add.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_OVERLAP_ADD_H
#define TINYPROOF_KERNELS_SIGNAL_OVERLAP_ADD_H

#include "requantize.h"

struct signal_overlap_add {
    int32_t rows;
    int32_t frames; /* of a row */
    int32_t size;
    int32_t step;
};

KERNEL_INLINE void signal_overlap_add(const int16_t *input, int16_t *output, int16_t *state,
                                      const struct signal_overlap_add *p) {
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t frame = 0; frame < p->frames; frame++) {
            for (int32_t i = 0; i < p->size; i++) {
                int32_t sum = state[i] + input[i];
                sum = sum > INT16_MAX ? INT16_MAX : sum;
                sum = sum < INT16_MIN ? INT16_MIN : sum;
                if (i < p->step) {
                    output[i] = (int16_t)sum;
                } else {
                    state[i - p->step] = (int16_t)sum;
                }
            }
            for (int32_t i = p->size - p->step; i < p->size; i++) {
                state[i] = 0;
            }
            input += p->size;
            output += p->step;
        }
        state += p->size;
    }
}

#endif
