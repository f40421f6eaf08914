/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, for any layer; depthwise_quads_s8.h is faster where it applies.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/depthwise_conv.h).
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_CONV_S8_H
#define TINYPROOF_KERNELS_DEPTHWISE_CONV_S8_H

#include "kernels/convolution.h"

struct depthwise_conv_s8 {
    struct conv_window window;
    int32_t multiplier; /* output channels of an input channel, side by side */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights;      /* [kernel_height][kernel_width][channels][multiplier] */
    KERNEL_TABLE int32_t *bias;        /* the input's zero point folded in */
    KERNEL_TABLE int32_t *multipliers; /* encoded as in requantize.h, like the shifts */
    KERNEL_TABLE int8_t *shifts;
};

KERNEL_SHARED void depthwise_conv_s8(const int8_t *input, int8_t *output, const struct depthwise_conv_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t units = w->channels * p->multiplier;
    struct pixel at = {input, 0, 0};
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        int32_t unit = 0;
        for (int32_t channel = 0; channel < w->channels; channel++) {
            for (const int32_t end = unit + p->multiplier; unit < end; unit++) {
                KERNEL_TABLE int8_t *weight = p->weights + unit;
                int32_t sum = p->bias[unit];
                for (int32_t ky = 0; ky < w->kernel_height; ky++) {
                    for (int32_t kx = 0; kx < w->kernel_width; kx++, weight += units) {
                        const int8_t *tap = find_tap(&at, w, ky, kx);
                        sum += *weight * (tap ? (int32_t)tap[channel] : w->input_zero_point);
                    }
                }
                const int32_t y = requantize(sum, p->multipliers[unit], p->shifts[unit], 0, p->zero_point);
                *output++ = clamp_s8(y, p->clamp_min, p->clamp_max);
            }
        }
        next_pixel(&at, w);
    }
}

#endif
