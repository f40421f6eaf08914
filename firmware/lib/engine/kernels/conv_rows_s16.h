/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED with int16 activations and int8 weights, where sums fit 32 bits and are scaled down.
 * Bit-exact with TFLite Micro's reference kernels (reference/integer_ops/conv.h, fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_CONV_ROWS_S16_H
#define TINYPROOF_KERNELS_CONV_ROWS_S16_H

#include "kernels/conv_rows_s16_parameters.h"

KERNEL_INLINE int16_t conv_rows_s16_output(int32_t sum, int32_t multiplier, int32_t shift,
                                           const struct conv_rows_s16 *p) {
    int32_t y = (int32_t)(((int64_t)sum * multiplier) >> 32);
    y = ((y >> shift) + p->rounding) >> 1;
    y = y < p->clamp_min ? p->clamp_min : y;
    return (int16_t)(y > p->clamp_max ? p->clamp_max : y);
}

KERNEL_SHARED void conv_rows_s16(const int16_t *input, int16_t *output, int8_t *scratch,
                                 const struct conv_rows_s16 *p) {
    const struct conv_window *w = &p->window;
    int16_t *column = (int16_t *)(void *)scratch;
    struct pixel_s16 at = {input, 0, 0};
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        KERNEL_TABLE int8_t *weights = p->weights;
        KERNEL_TABLE int32_t *scale = p->scales;
        for (int32_t i = gather_column_s16(column, 2, &at, w); i < p->depth; i++) {
            column[i] = 0;
        }
        next_pixel_s16(&at, w);
        for (int32_t unit = 0; unit < p->units; unit += 2, scale += CONV_ROWS_SCALES) {
            const int16_t *x = column;
            int32_t a = scale[0], b = scale[1];
            for (int32_t i = p->depth; i > 0; i -= 4, x += 4, weights += 8) {
                const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
                a += weights[0] * x0 + weights[1] * x2;
                a += weights[2] * x1 + weights[3] * x3;
                b += weights[4] * x0 + weights[5] * x2;
                b += weights[6] * x1 + weights[7] * x3;
            }
            *output++ = conv_rows_s16_output(a, scale[2], scale[4], p);
            if (unit + 1 < p->units) {
                *output++ = conv_rows_s16_output(b, scale[3], scale[5], p);
            }
        }
    }
}

#endif
