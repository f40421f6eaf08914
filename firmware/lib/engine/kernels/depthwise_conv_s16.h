/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D with int16 activations and int8 weights, for any layer; depthwise_quads_s16.h is faster where it
 * applies. Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/depthwise_conv.h).
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_CONV_S16_H
#define TINYPROOF_KERNELS_DEPTHWISE_CONV_S16_H

#include "kernels/convolution_s16.h"

struct depthwise_conv_s16 {
    struct conv_window window;
    int32_t multiplier; /* output channels of an input channel, side by side */
    struct rescaling_s16 rescaling;
    KERNEL_TABLE int8_t *weights; /* [kernel_height][kernel_width][channels][multiplier] */
    KERNEL_TABLE int64_t *bias;   /* [channels][multiplier] */
};

KERNEL_SHARED void depthwise_conv_s16(const int16_t *input, int16_t *output, const struct depthwise_conv_s16 *p) {
    const struct conv_window *w = &p->window;
    const int32_t units = w->channels * p->multiplier, step = w->dilation_x * w->channels;
    struct pixel_s16 at = {input, 0, 0};
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        const struct tap_range taps = find_taps(&at, w);
        int32_t unit = 0;
        for (int32_t channel = 0; channel < w->channels; channel++) {
            for (const int32_t end = unit + p->multiplier; unit < end; unit++) {
                int64_t sum = p->bias[unit];
                for (int32_t ky = taps.top; ky < taps.bottom; ky++) {
                    KERNEL_TABLE int8_t *weight = p->weights + (ky * w->kernel_width + taps.left) * units + unit;
                    int32_t place = tap_offset(&at, w, ky, taps.left) + channel;
                    for (int32_t kx = taps.left; kx < taps.right; kx++, weight += units, place += step) {
                        sum += (int64_t)((int32_t)*weight * at.image[place]);
                    }
                }
                *output++ = requantize_s16(sum, unit, &p->rescaling);
            }
        }
        next_pixel_s16(&at, w);
    }
}

#endif
