/* SPDX-License-Identifier: Apache-2.0
 * SignalFramer: frames of a signal that overlap. Bit-exact with TFLite Micro (signal/micro/kernels/framer.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_FRAMER_H
#define TINYPROOF_KERNELS_SIGNAL_FRAMER_H

#include "requantize.h"

struct signal_framer {
    int32_t rows;
    int32_t frames; /* of a row */
    int32_t size;
    int32_t step;
    int32_t kept; /* samples of the last frame that belong to the next one, too */
};

KERNEL_INLINE void signal_framer(const int16_t *input, int16_t *output, uint8_t *valid, int16_t *state,
                                 const struct signal_framer *p) {
    const int32_t fresh = p->size - p->kept;
    *valid = 1;
    for (int32_t row = 0; row < p->rows; row++) {
        for (int32_t frame = 0; frame < p->frames; frame++) {
            for (int32_t i = 0; i < p->kept; i++) {
                output[i] = state[i];
            }
            for (int32_t i = 0; i < fresh; i++) {
                output[p->kept + i] = input[i];
            }
            for (int32_t i = 0; i < p->kept; i++) {
                state[i] = output[p->step + i];
            }
            input += p->step;
            output += p->size;
        }
        state += p->kept;
    }
}

#endif
