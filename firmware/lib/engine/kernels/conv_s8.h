/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D, int8, for any layer; conv_pairs_s8.h is faster where it applies.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/conv.h).
 */
#ifndef TINYPROOF_KERNELS_CONV_S8_H
#define TINYPROOF_KERNELS_CONV_S8_H

#include "kernels/convolution.h"

struct conv_s8 {
    struct conv_window window;
    int32_t units; /* output channels */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights;      /* [units][kernel_height][kernel_width][channels] */
    KERNEL_TABLE int32_t *bias;        /* the input's zero point folded in */
    KERNEL_TABLE int32_t *multipliers; /* encoded as in requantize.h, like the shifts */
    KERNEL_TABLE int8_t *shifts;
};

KERNEL_INLINE int32_t conv_s8_tap(const int8_t *tap, KERNEL_TABLE int8_t *weights, int32_t channels, int32_t outside) {
    int32_t sum = 0;
    for (int32_t c = 0; c < channels; c++) {
        sum += weights[c] * (tap ? (int32_t)tap[c] : outside);
    }
    return sum;
}

KERNEL_SHARED void conv_s8(const int8_t *input, int8_t *output, const struct conv_s8 *p) {
    const struct conv_window *w = &p->window;
    struct pixel at = {input, 0, 0};
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        KERNEL_TABLE int8_t *weights = p->weights;
        for (int32_t unit = 0; unit < p->units; unit++) {
            int32_t sum = p->bias[unit];
            for (int32_t ky = 0; ky < w->kernel_height; ky++) {
                for (int32_t kx = 0; kx < w->kernel_width; kx++, weights += w->channels) {
                    sum += conv_s8_tap(find_tap(&at, w, ky, kx), weights, w->channels, w->input_zero_point);
                }
            }
            const int32_t y = requantize(sum, p->multipliers[unit], p->shifts[unit], 0, p->zero_point);
            *output++ = clamp_s8(y, p->clamp_min, p->clamp_max);
        }
        next_pixel(&at, w);
    }
}

#endif
