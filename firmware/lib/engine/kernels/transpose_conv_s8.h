/* SPDX-License-Identifier: Apache-2.0
 * TRANSPOSE_CONV, int8.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/transpose_conv.h).
 */
#ifndef TINYPROOF_KERNELS_TRANSPOSE_CONV_S8_H
#define TINYPROOF_KERNELS_TRANSPOSE_CONV_S8_H

#include "kernels/transposed.h"

struct transpose_conv_s8 {
    struct transposed_window window;
    int32_t units; /* output channels */
    int32_t input_zero_point;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights;      /* [units][kernel_height][kernel_width][channels] */
    KERNEL_TABLE int32_t *bias;        /* [units] */
    KERNEL_TABLE int32_t *multipliers; /* encoded as in requantize.h, like the shifts */
    KERNEL_TABLE int8_t *shifts;
};

/* The products of one unit at one output pixel; `weights` are the unit's, and `image` the input's. */
KERNEL_INLINE int32_t transpose_conv_s8_sum(const int8_t *image, KERNEL_TABLE int8_t *unit_weights, struct phase row,
                                            struct phase column, const struct transposed_window *w,
                                            int32_t zero_point) {
    int32_t sum = 0;
    for (int32_t ky = row.tap, y = row.place; ky < w->kernel_height && y >= 0; ky += w->stride_y, y--) {
        if (y >= w->input_height)
            continue;
        for (int32_t kx = column.tap, place = column.place; kx < w->kernel_width && place >= 0;
             kx += w->stride_x, place--) {
            if (place >= w->input_width)
                continue;
            KERNEL_TABLE int8_t *weights = unit_weights + (ky * w->kernel_width + kx) * w->channels;
            const int8_t *x = image + (y * w->input_width + place) * w->channels;
            for (int32_t c = 0; c < w->channels; c++)
                sum += weights[c] * (x[c] - zero_point);
        }
    }
    return sum;
}

KERNEL_SHARED void transpose_conv_s8(const int8_t *input, int8_t *output, const struct transpose_conv_s8 *p) {
    const struct transposed_window *w = &p->window;
    const int32_t row_size = w->kernel_height * w->kernel_width * w->channels;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        struct phase row = first_phase(w->pad_top, w->stride_y);
        for (int32_t y = 0; y < w->output_height; y++, next_phase(&row, w->stride_y)) {
            struct phase column = first_phase(w->pad_left, w->stride_x);
            for (int32_t x = 0; x < w->output_width; x++, next_phase(&column, w->stride_x)) {
                KERNEL_TABLE int8_t *weights = p->weights;
                for (int32_t unit = 0; unit < p->units; unit++, weights += row_size) {
                    const int32_t sum = transpose_conv_s8_sum(input, weights, row, column, w, p->input_zero_point);
                    const int32_t q =
                        requantize(p->bias[unit] + sum, p->multipliers[unit], p->shifts[unit], 0, p->zero_point);
                    *output++ = clamp_s8(q, p->clamp_min, p->clamp_max);
                }
            }
        }
        input += w->input_height * w->input_width * w->channels;
    }
}

#endif
