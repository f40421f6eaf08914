/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, four channels at a time.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/depthwise_conv.h).
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_S8_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/depthwise_quads_parameters.h"
#include "kernels/pairs.h"

/* Adds what four channels from `channel` on sum up to at a pixel. */
KERNEL_INLINE void depthwise_quad_sums(int32_t sums[4], KERNEL_TABLE int16_t *weights, const struct pixel *at,
                                       int32_t channel, const struct conv_window *w) {
    const int8_t zero = (int8_t)w->input_zero_point;
    const int8_t outside[4] = {zero, zero, zero, zero};
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++, weights += 4) {
            const int8_t *tap = find_tap(at, w, ky, kx);
            const int8_t *x = tap ? tap + channel : outside;
            sums[0] += (int32_t)weights[0] * x[0];
            sums[1] += (int32_t)weights[2] * x[1];
            sums[2] += (int32_t)weights[1] * x[2];
            sums[3] += (int32_t)weights[3] * x[3];
        }
    }
}

/* Four channels from `channel` on at a pixel, with outputs p->multiplier bytes apart. Returns the quad behind theirs. */
KERNEL_INLINE KERNEL_TABLE int16_t *depthwise_quad(KERNEL_TABLE int16_t *quad, const struct pixel *at, int32_t channel,
                                                   int8_t *output, const struct depthwise_quads_s8 *p) {
    int32_t sums[4] = {read_long(quad), read_long(quad + 2), read_long(quad + 4), read_long(quad + 6)};
    depthwise_quad_sums(sums, quad + 8, at, channel, &p->window);
    quad += 8 + 4 * p->taps;
    for (int32_t i = 0; i < 4; i++, output += p->multiplier) {
        *output = rescale_pair_s8(sums[i], read_long(quad + 2 * i), read_long(quad + 8 + 2 * i), p->rounding);
    }
    return quad + 16;
}

KERNEL_SHARED void depthwise_quads_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                      const struct depthwise_quads_s8 *p) {
    const struct conv_window *w = &p->window;
    struct pixel at = {input, 0, 0};
    (void)scratch; /* the kernel for DSP extensions keeps offsets there */
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        KERNEL_TABLE int16_t *quad = p->quads;
        for (int32_t first = 0; first < p->multiplier; first++) {
            for (int32_t c = 0; c < w->channels; c += 4) {
                const int32_t channel = c + 4 <= w->channels ? c : w->channels - 4;
                quad = depthwise_quad(quad, &at, channel, output + channel * p->multiplier + first, p);
            }
        }
        output += w->channels * p->multiplier;
        next_pixel(&at, w);
    }
    const int32_t outputs = w->batches * w->output_height * w->output_width * w->channels * p->multiplier;
    clamp_bytes(output - outputs, outputs, p->clamp_min, p->clamp_max);
}

#endif
