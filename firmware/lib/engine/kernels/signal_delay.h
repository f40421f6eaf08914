/* SPDX-License-Identifier: Apache-2.0
 * SignalDelay: each row of a signal, so many samples later. Bit-exact with TFLite Micro (signal/micro/kernels/delay.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_DELAY_H
#define TINYPROOF_KERNELS_SIGNAL_DELAY_H

#include "requantize.h"

struct signal_delay {
    int32_t rows;
    int32_t size;
    int32_t delay;
};

KERNEL_INLINE void signal_delay(const int16_t *input, int16_t *output, int16_t *state, const struct signal_delay *p) {
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t i = 0; i < p->size; i++) {
            output[i] = i < p->delay ? state[i] : input[i - p->delay];
        }
        for (int32_t i = 0; i < p->delay; i++) {
            const int32_t place = i + p->size;
            state[i] = place < p->delay ? state[place] : input[place - p->delay];
        }
        input += p->size;
        output += p->size;
        state += p->delay;
    }
}

#endif
