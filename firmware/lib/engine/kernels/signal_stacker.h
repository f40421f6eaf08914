/* SPDX-License-Identifier: Apache-2.0
 * SignalStacker: a frame and those before it; before the first one, that one itself. Bit-exact with TFLite Micro
 * (signal/micro/kernels/stacker.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_STACKER_H
#define TINYPROOF_KERNELS_SIGNAL_STACKER_H

#include "requantize.h"

struct signal_stacker {
    int32_t channels;
    int32_t kept; /* samples of the frames before */
};

/* `state` begins with whether there has been a frame. */
KERNEL_INLINE void signal_stacker(const int16_t *input, int16_t *output, uint8_t *valid, int16_t *state,
                                  const struct signal_stacker *p) {
    int16_t *past = state + 1;
    if (!state[0]) {
        for (int32_t i = 0; i < p->kept; i++) {
            past[i] = i < p->channels ? input[i] : past[i - p->channels];
        }
        state[0] = 1;
    }
    for (int32_t i = 0; i < p->kept; i++) {
        output[i] = past[i];
    }
    for (int32_t i = 0; i < p->channels; i++) {
        output[p->kept + i] = input[i];
    }
    for (int32_t i = 0; i < p->kept; i++) {
        past[i] = output[p->channels + i];
    }
    *valid = 1;
}

#endif
