/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D with int16 activations and int8 weights, four channels at a time.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/depthwise_conv.h).
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_S16_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_S16_H

#include "kernels/depthwise_quads_s16_parameters.h"
#include "kernels/pairs.h"

/* Adds what four channels from `channel` on sum up to at a pixel, whose taps inside of the image are given. */
KERNEL_INLINE void depthwise_quad_s16_sums(int32_t sums[4], KERNEL_TABLE int16_t *weights, const struct pixel_s16 *at,
                                           int32_t channel, const struct tap_range *taps, const struct conv_window *w) {
    const int32_t step = w->dilation_x * w->channels;
    for (int32_t ky = taps->top; ky < taps->bottom; ky++) {
        KERNEL_TABLE int16_t *weight = weights + 4 * (ky * w->kernel_width + taps->left);
        int32_t place = tap_offset(at, w, ky, taps->left) + channel;
        for (int32_t kx = taps->left; kx < taps->right; kx++, weight += 4, place += step) {
            const int16_t *x = at->image + place;
            sums[0] += (int32_t)weight[0] * x[0];
            sums[1] += (int32_t)weight[1] * x[1];
            sums[2] += (int32_t)weight[2] * x[2];
            sums[3] += (int32_t)weight[3] * x[3];
        }
    }
}

KERNEL_SHARED void depthwise_quads_s16(const int16_t *input, int16_t *output, int8_t *scratch,
                                       const struct depthwise_quads_s16 *p) {
    const struct conv_window *w = &p->window;
    struct pixel_s16 at = {input, 0, 0};
    (void)scratch; /* the kernel for DSP extensions keeps offsets there */
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        const struct tap_range taps = find_taps(&at, w);
        KERNEL_TABLE int16_t *quad = p->quads;
        for (int32_t channel = 0; channel < w->channels; channel += 4) {
            int32_t sums[4] = {read_long(quad), read_long(quad + 2), read_long(quad + 4), read_long(quad + 6)};
            depthwise_quad_s16_sums(sums, quad + 8, &at, channel, &taps, w);
            quad += 8 + 4 * p->taps;
            for (int32_t i = 0; i < 4; i++) {
                const int32_t upper = (int32_t)(((int64_t)sums[i] * read_long(quad + 2 * i)) >> 32);
                int32_t y = ((upper >> quad[8 + 2 * i]) + p->rounding) >> 1;
                y = y < p->clamp_min ? p->clamp_min : y;
                *output++ = (int16_t)(y > p->clamp_max ? p->clamp_max : y);
            }
            quad += 16;
        }
        next_pixel_s16(&at, w);
    }
}

#endif
