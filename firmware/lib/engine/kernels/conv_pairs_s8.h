/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D, int8, where all shifts go to the right, the clamp is int8's, and output channels are packed in pairs.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/conv.h).
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_S8_H
#define TINYPROOF_KERNELS_CONV_PAIRS_S8_H

#include "kernels/conv_pairs_parameters.h"
#include "kernels/pairs.h"

KERNEL_SHARED void conv_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t pixels = w->batches * w->output_height * w->output_width, depth = p->depth;
    struct pixel at = {input, 0, 0};
    for (int32_t i = w->kernel_height * w->kernel_width * w->channels; i < depth; i++) {
        scratch[i] = 0; /* what the rounded-up depth adds; its weights are 0, too */
    }
    for (int32_t pixel = 0; pixel < pixels; pixel++) {
        KERNEL_TABLE int16_t *pair = p->pairs;
        gather_patch(scratch, &at, w);
        next_pixel(&at, w);
        for (int32_t left = p->units; left > 0; left -= 2) {
            const struct pair_sums sums = multiply_pair(pair, scratch, depth);
            KERNEL_TABLE int16_t *scale = pair + 4 + depth;
            *output++ = requantize_s8(sums.a, read_long(scale), scale[4], p->rounding);
            if (left > 1) {
                *output++ = requantize_s8(sums.b, read_long(scale + 2), scale[6], p->rounding);
            }
            pair += depth + CONV_PAIR_HALVES;
        }
    }
}

#endif
