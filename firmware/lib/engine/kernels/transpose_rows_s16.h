/* SPDX-License-Identifier: Apache-2.0
 * TRANSPOSE_CONV, int16 activations and int8 weights, where sums fit 32 bits.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/transpose_conv.h).
 */
#ifndef TINYPROOF_KERNELS_TRANSPOSE_ROWS_S16_H
#define TINYPROOF_KERNELS_TRANSPOSE_ROWS_S16_H

#include "kernels/dots.h"
#include "kernels/requantize_s16.h"
#include "kernels/transposed.h"

/* Scratch: what an output pixel sees at most, as int16. `weights`: for each phase that has taps, row after row of
 * phases, [units][taps of the phase][channels], each whole four of a row in the
 * order 0, 2, 1, 3 (dots.h); `starts` says where each phase begins.
 */
struct transpose_rows_s16 {
    struct transposed_window window;
    int32_t units;    /* output channels */
    int32_t phases_x; /* phases with taps in a row of phases: the lesser of stride and kernel width */
    struct rescaling_s16 rescaling;
    KERNEL_TABLE int8_t *weights;
    KERNEL_TABLE int32_t *bias; /* [units] */
    KERNEL_TABLE int32_t *starts;
};

/* What an output pixel sees of the image, as a column; 0 outside of the image. */
KERNEL_INLINE void transpose_rows_s16_gather(int16_t *seen, const int16_t *image, struct phase row, struct phase column,
                                             const struct transpose_rows_s16 *p) {
    const struct transposed_window *w = &p->window;
    const int32_t channels = w->channels;
    for (int32_t ky = row.tap, y = row.place; ky < w->kernel_height; ky += w->stride_y, y--) {
        for (int32_t kx = column.tap, place = column.place; kx < w->kernel_width; kx += w->stride_x, place--) {
            if (y >= 0 && y < w->input_height && place >= 0 && place < w->input_width) {
                const int16_t *x = image + (y * w->input_width + place) * channels;
                for (int32_t c = 0; c < channels; c++) {
                    seen[c] = x[c];
                }
            } else {
                for (int32_t c = 0; c < channels; c++) {
                    seen[c] = 0;
                }
            }
            seen += channels;
        }
    }
}

KERNEL_INLINE void transpose_rows_s16_pixel(int16_t *output, const int16_t *seen, KERNEL_TABLE int8_t *weights,
                                            int32_t depth, const struct transpose_rows_s16 *p) {
    for (int32_t unit = 0; unit < p->units; unit += 2, weights += 2 * depth) {
        const int32_t whole = unit + 1 < p->units;
        int32_t sums[2] = {p->bias[unit], whole ? p->bias[unit + 1] : 0};
        dot_table(sums, weights, whole ? weights + depth : weights, seen, depth);
        output[unit] = requantize_s16(sums[0], unit, &p->rescaling);
        if (whole) {
            output[unit + 1] = requantize_s16(sums[1], unit + 1, &p->rescaling);
        }
    }
}

KERNEL_SHARED void transpose_rows_s16(const int16_t *input, int16_t *output, int8_t *scratch,
                                      const struct transpose_rows_s16 *p) {
    const struct transposed_window *w = &p->window;
    int16_t *seen = (int16_t *)(void *)scratch;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        struct phase row = first_phase(w->pad_top, w->stride_y);
        for (int32_t y = 0; y < w->output_height; y++, next_phase(&row, w->stride_y)) {
            struct phase column = first_phase(w->pad_left, w->stride_x);
            for (int32_t x = 0; x < w->output_width; x++, next_phase(&column, w->stride_x), output += p->units) {
                const int32_t depth = phase_depth(row, column, w);
                const int32_t start = depth ? p->starts[row.tap * p->phases_x + column.tap] : 0;
                transpose_rows_s16_gather(seen, input, row, column, p);
                transpose_rows_s16_pixel(output, seen, p->weights + start, depth, p);
            }
        }
        input += w->input_height * w->input_width * w->channels;
    }
}

#endif
