/* SPDX-License-Identifier: Apache-2.0
 * Where a convolution's kernel lies on its input.
 */
#ifndef TINYPROOF_KERNELS_CONVOLUTION_H
#define TINYPROOF_KERNELS_CONVOLUTION_H

#include "kernels/requantize.h"

/* For kernels whose loops gain nothing from constants: one copy, however many layers call it. */
#define KERNEL_SHARED static KERNEL_NOINLINE

/* Images of a batch follow one another; an image is [height][width][channels]. */
struct conv_window {
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
    int32_t dilation_y;
    int32_t dilation_x;
    int32_t pad_top;
    int32_t pad_left;
    int32_t input_zero_point; /* stands for the input outside of the image: its real value is 0 */
};

/* One output pixel; `image` is its image. Begin at {input, 0, 0}. */
struct pixel {
    const int8_t *image;
    int32_t y;
    int32_t x;
};

KERNEL_INLINE void next_pixel(struct pixel *at, const struct conv_window *w) {
    if (++at->x < w->output_width) {
        return;
    }
    at->x = 0;
    if (++at->y < w->output_height) {
        return;
    }
    at->y = 0;
    at->image += w->input_height * w->input_width * w->channels;
}

/* Whether the kernel is one pixel, and takes all of them in their order. */
KERNEL_INLINE int32_t is_pointwise(const struct conv_window *w) {
    return w->kernel_height * w->kernel_width * w->stride_y * w->stride_x == 1;
}

/* Whether two places in the arena have a byte in common. */
KERNEL_INLINE int32_t overlap(const int8_t *a, int32_t a_bytes, const int8_t *b, int32_t b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
}

/* The bytes of channel 0 at a kernel position, or NULL outside of the image. */
KERNEL_INLINE const int8_t *find_tap(const struct pixel *at, const struct conv_window *w, int32_t ky, int32_t kx) {
    const int32_t y = at->y * w->stride_y - w->pad_top + ky * w->dilation_y;
    const int32_t x = at->x * w->stride_x - w->pad_left + kx * w->dilation_x;
    if (y < 0 || y >= w->input_height || x < 0 || x >= w->input_width) {
        return (const int8_t *)0;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullPointerArithm): an image has an address */
    return at->image + (y * w->input_width + x) * w->channels;
}

#endif
