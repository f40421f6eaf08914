/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED, int8, with output channels in pairs. A matrix product is a convolution of one pixel for
 * each row. Bit-exact with TFLite Micro's reference kernels (reference/integer_ops/conv.h, fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_S8_H
#define TINYPROOF_KERNELS_CONV_PAIRS_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/conv_pairs_parameters.h"

/* The input under the kernel: a copy, so that the outputs of a pixel may lie over its inputs. */
KERNEL_INLINE void gather_taps(int8_t *patch, const struct pixel *at, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, row_bytes = (w->kernel_width * channels + 3) & ~3;
    const int32_t step_y = p->by_columns ? channels : row_bytes;
    const int32_t step_x = p->by_columns ? w->kernel_height * channels : channels;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        int8_t *to = patch + ky * step_y;
        for (int32_t kx = 0; kx < w->kernel_width; kx++, to += step_x) {
            const int8_t *tap = find_tap(at, w, ky, kx);
            for (int32_t c = 0; c < channels; c++) {
                to[c] = tap ? tap[c] : (int8_t)w->input_zero_point;
            }
        }
    }
}

KERNEL_SHARED void conv_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t pixels = w->batches * w->output_height * w->output_width, depth = p->depth;
    struct pixel at = {input, 0, 0};
    for (int32_t i = 0; i < depth; i++) {
        scratch[i] = 0; /* what fills up a row */
    }
    for (int32_t pixel = 0; pixel < pixels; pixel++) {
        KERNEL_TABLE int8_t *weights = p->weights;
        KERNEL_TABLE int32_t *scales = p->scales;
        gather_taps(scratch, &at, p);
        next_pixel(&at, w);
        for (int32_t left = p->units; left > 0; left -= 2) {
            const struct pair_sums sums = multiply_pair(weights, scales, scratch, depth);
            *output++ = rescale_pair_s8(sums.a, scales[2], scales[4], p->rounding);
            if (left > 1) {
                *output++ = rescale_pair_s8(sums.b, scales[3], pair_scaling_b(scales), p->rounding);
            }
            weights += 2 * depth;
            scales += PAIR_SCALES;
        }
    }
    clamp_bytes(output - pixels * p->units, pixels * p->units, p->clamp_min, p->clamp_max);
}

#endif
