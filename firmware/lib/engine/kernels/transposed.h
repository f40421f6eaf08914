/* SPDX-License-Identifier: Apache-2.0
 * Where a transposed convolution's kernel lies: every output pixel gathers what input pixels scatter to it.
 *
 * Output y takes tap ky of input row (y + pad - ky) / stride wherever that divides: taps first, first + stride, ... of
 * rows row, row - 1, ... Counting along with y needs no division.
 */
#ifndef TINYPROOF_KERNELS_TRANSPOSED_H
#define TINYPROOF_KERNELS_TRANSPOSED_H

#include "kernels/convolution.h"

/* Images of a batch follow one another; an image is [height][width][channels]. */
struct transposed_window {
    int32_t batches;
    int32_t input_height;
    int32_t input_width;
    int32_t channels; /* of the input */
    int32_t output_height;
    int32_t output_width;
    int32_t kernel_height;
    int32_t kernel_width;
    int32_t stride_y;
    int32_t stride_x;
    int32_t pad_top;
    int32_t pad_left;
};

/* Along one dimension: the first tap that an output place takes, and the input place that it takes it of. */
struct phase {
    int32_t tap;
    int32_t place;
};

KERNEL_INLINE struct phase first_phase(int32_t pad, int32_t stride) {
    struct phase at = {pad, 0};
    for (; at.tap >= stride; at.tap -= stride) {
        at.place++;
    }
    return at;
}

KERNEL_INLINE void next_phase(struct phase *at, int32_t stride) {
    if (++at->tap < stride) {
        return;
    }
    at->tap = 0;
    at->place++;
}

/* The places along the depth of what an output pixel sees: taps of its phases times channels. */
KERNEL_INLINE int32_t phase_depth(struct phase row, struct phase column, const struct transposed_window *w) {
    int32_t rows = 0, depth = 0;
    for (int32_t ky = row.tap; ky < w->kernel_height; ky += w->stride_y) {
        rows += w->channels;
    }
    for (int32_t kx = column.tap; kx < w->kernel_width; kx += w->stride_x) {
        depth += rows;
    }
    return depth;
}

#endif
