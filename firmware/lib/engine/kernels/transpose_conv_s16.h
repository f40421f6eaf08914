/* SPDX-License-Identifier: Apache-2.0
 * TRANSPOSE_CONV, int16 activations and int8 weights.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/transpose_conv.h).
 */
#ifndef TINYPROOF_KERNELS_TRANSPOSE_CONV_S16_H
#define TINYPROOF_KERNELS_TRANSPOSE_CONV_S16_H

#include "kernels/requantize_s16.h"
#include "kernels/transposed.h"

struct transpose_conv_s16 {
    struct transposed_window window;
    int32_t units; /* output channels */
    struct rescaling_s16 rescaling;
    KERNEL_TABLE int8_t *weights; /* [units][kernel_height][kernel_width][channels] */
    KERNEL_TABLE int64_t *bias;   /* [units] */
};

/* The products of one unit at one output pixel; `unit_weights` are its own, and `image` the input's. */
KERNEL_INLINE int64_t transpose_conv_s16_sum(const int16_t *image, KERNEL_TABLE int8_t *unit_weights, struct phase row,
                                             struct phase column, const struct transposed_window *w) {
    int64_t sum = 0;
    for (int32_t ky = row.tap, y = row.place; ky < w->kernel_height && y >= 0; ky += w->stride_y, y--) {
        if (y >= w->input_height) {
            continue;
        }
        for (int32_t kx = column.tap, place = column.place; kx < w->kernel_width && place >= 0;
             kx += w->stride_x, place--) {
            if (place >= w->input_width) {
                continue;
            }
            KERNEL_TABLE int8_t *weights = unit_weights + (ky * w->kernel_width + kx) * w->channels;
            const int16_t *x = image + (y * w->input_width + place) * w->channels;
            for (int32_t c = 0; c < w->channels; c++) {
                sum += (int64_t)((int32_t)weights[c] * x[c]);
            }
        }
    }
    return sum;
}

KERNEL_SHARED void transpose_conv_s16(const int16_t *input, int16_t *output, const struct transpose_conv_s16 *p) {
    const struct transposed_window *w = &p->window;
    const int32_t row_size = w->kernel_height * w->kernel_width * w->channels;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        struct phase row = first_phase(w->pad_top, w->stride_y);
        for (int32_t y = 0; y < w->output_height; y++, next_phase(&row, w->stride_y)) {
            struct phase column = first_phase(w->pad_left, w->stride_x);
            for (int32_t x = 0; x < w->output_width; x++, next_phase(&column, w->stride_x)) {
                KERNEL_TABLE int8_t *weights = p->weights;
                for (int32_t unit = 0; unit < p->units; unit++, weights += row_size) {
                    const int64_t sum = transpose_conv_s16_sum(input, weights, row, column, w);
                    *output++ = requantize_s16(p->bias[unit] + sum, unit, &p->rescaling);
                }
            }
        }
        input += w->input_height * w->input_width * w->channels;
    }
}

#endif
