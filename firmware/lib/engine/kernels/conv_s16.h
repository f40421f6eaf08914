/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED with int16 activations and int8 weights, for any layer.
 * Bit-exact with TFLite Micro's reference kernels (reference/integer_ops/conv.h, fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_CONV_S16_H
#define TINYPROOF_KERNELS_CONV_S16_H

#include "kernels/convolution_s16.h"

struct conv_s16 {
    struct conv_window window;
    int32_t units; /* output channels */
    struct rescaling_s16 rescaling;
    KERNEL_TABLE int8_t *weights; /* [units][kernel_height][kernel_width][channels] */
    KERNEL_TABLE int64_t *bias;   /* [units] */
};

KERNEL_SHARED void conv_s16(const int16_t *input, int16_t *output, const struct conv_s16 *p) {
    const struct conv_window *w = &p->window;
    struct pixel_s16 at = {input, 0, 0};
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        KERNEL_TABLE int8_t *weights = p->weights;
        for (int32_t unit = 0; unit < p->units; unit++) {
            int64_t sum = p->bias[unit];
            for (int32_t ky = 0; ky < w->kernel_height; ky++) {
                for (int32_t kx = 0; kx < w->kernel_width; kx++, weights += w->channels) {
                    if (!is_inside(&at, w, ky, kx)) {
                        continue;
                    }
                    const int16_t *tap = at.image + tap_offset(&at, w, ky, kx);
                    for (int32_t c = 0; c < w->channels; c++) {
                        sum += (int64_t)((int32_t)weights[c] * tap[c]);
                    }
                }
            }
            *output++ = requantize_s16(sum, unit, &p->rescaling);
        }
        next_pixel_s16(&at, w);
    }
}

#endif
