/* SPDX-License-Identifier: Apache-2.0
 * SignalWindow: frames of int16 multiplied by a window. Bit-exact with TFLite Micro (signal/src/window.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_WINDOW_H
#define TINYPROOF_KERNELS_SIGNAL_WINDOW_H

#include "requantize.h"

struct signal_window {
    int32_t frames;
    int32_t size; /* of a frame */
    int32_t shift;
    KERNEL_TABLE int16_t *weights;
};

KERNEL_INLINE void signal_window(const int16_t *input, int16_t *output, const struct signal_window *p) {
    for (int32_t frame = 0; frame < p->frames; frame++) {
        for (int32_t i = 0; i < p->size; i++) {
            int32_t y = (*input++ * (int32_t)p->weights[i]) >> p->shift;
            y = y > INT16_MAX ? INT16_MAX : y;
            y = y < INT16_MIN ? INT16_MIN : y;
            *output++ = (int16_t)y;
        }
    }
}

#endif
