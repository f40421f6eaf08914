/* SPDX-License-Identifier: Apache-2.0
 * Where a convolution's kernel lies on its input of int16; outside of the image the input is 0.
 */
#ifndef TINYPROOF_KERNELS_CONVOLUTION_S16_H
#define TINYPROOF_KERNELS_CONVOLUTION_S16_H

#include "kernels/convolution.h"
#include "kernels/requantize_s16.h"

/* One output pixel; `image` is its image. Begin at {input, 0, 0}. */
struct pixel_s16 {
    const int16_t *image;
    int32_t y;
    int32_t x;
};

KERNEL_INLINE void next_pixel_s16(struct pixel_s16 *at, const struct conv_window *w) {
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

/* Channel 0 at a tap, from its image's beginning; only to be read inside of the image. */
KERNEL_INLINE int32_t tap_offset(const struct pixel_s16 *at, const struct conv_window *w, int32_t ky, int32_t kx) {
    const int32_t y = at->y * w->stride_y - w->pad_top + ky * w->dilation_y;
    const int32_t x = at->x * w->stride_x - w->pad_left + kx * w->dilation_x;
    return (y * w->input_width + x) * w->channels;
}

/* Whether a tap lies inside of the image. */
KERNEL_INLINE int32_t is_inside(const struct pixel_s16 *at, const struct conv_window *w, int32_t ky, int32_t kx) {
    const int32_t y = at->y * w->stride_y - w->pad_top + ky * w->dilation_y;
    const int32_t x = at->x * w->stride_x - w->pad_left + kx * w->dilation_x;
    return y >= 0 && y < w->input_height && x >= 0 && x < w->input_width;
}

/* The taps of a pixel that lie inside of the image: a rectangle of the kernel. */
struct tap_range {
    int32_t top;
    int32_t bottom; /* the first below */
    int32_t left;
    int32_t right;
};

KERNEL_INLINE void clip_taps(int32_t *first, int32_t *end, int32_t place, int32_t step, int32_t count, int32_t size) {
    int32_t tap = 0;
    for (; tap < count && place < 0; tap++) {
        place += step;
    }
    *first = tap;
    for (; tap < count && place < size; tap++) {
        place += step;
    }
    *end = tap;
}

KERNEL_INLINE struct tap_range find_taps(const struct pixel_s16 *at, const struct conv_window *w) {
    struct tap_range range;
    const int32_t y = at->y * w->stride_y - w->pad_top, x = at->x * w->stride_x - w->pad_left;
    clip_taps(&range.top, &range.bottom, y, w->dilation_y, w->kernel_height, w->input_height);
    clip_taps(&range.left, &range.right, x, w->dilation_x, w->kernel_width, w->input_width);
    return range;
}

#endif
