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
    if (++at->x < w->output_width)
        return;
    at->x = 0;
    if (++at->y < w->output_height)
        return;
    at->y = 0;
    at->image += w->input_height * w->input_width * w->channels;
}

/* Channel 0 at a kernel position, or NULL outside of the image. */
KERNEL_INLINE const int16_t *find_tap_s16(const struct pixel_s16 *at, const struct conv_window *w, int32_t ky,
                                          int32_t kx) {
    const int32_t y = at->y * w->stride_y - w->pad_top + ky * w->dilation_y;
    const int32_t x = at->x * w->stride_x - w->pad_left + kx * w->dilation_x;
    if (y < 0 || y >= w->input_height || x < 0 || x >= w->input_width)
        return (const int16_t *)0;
    return at->image + (y * w->input_width + x) * w->channels;
}

#endif
