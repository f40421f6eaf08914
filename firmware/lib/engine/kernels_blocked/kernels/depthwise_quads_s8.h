/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, four channels at a time. Bit-exact with kernels/.
 *
 * Every tap of a pixel is an offset from its channel 0: inside of the image the offsets are the same for all pixels, at
 * the border some lead to a row of zero points instead.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_S8_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/depthwise_multiply.h"
#include "kernels/depthwise_quads_parameters.h"

/* Offsets of the taps from `x`, to `outside` where they leave the image. */
KERNEL_INLINE void find_offsets(int32_t *offset, const struct pixel *at, const struct conv_window *w, const int8_t *x,
                                const int8_t *outside) {
    int32_t y = at->y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        const int32_t row_inside = y >= 0 && y < w->input_height;
        int32_t left = at->x * w->stride_x - w->pad_left;
        for (int32_t kx = 0; kx < w->kernel_width; kx++, left += w->dilation_x) {
            const int32_t inside = row_inside && left >= 0 && left < w->input_width;
            const int8_t *tap = inside ? at->image + (y * w->input_width + left) * w->channels : outside;
            *offset++ = (int32_t)(tap - x);
        }
    }
}

KERNEL_SHARED void depthwise_quads_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                      const struct depthwise_quads_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, taps = p->taps;
    int32_t *offsets = (int32_t *)(void *)scratch;
    int8_t *outside = scratch + 4 * taps;
    struct pixel at = {input, 0, 0};
    int32_t known = 0; /* whether `offsets` are those of the inside */
    for (int32_t c = 0; c < channels; c++) {
        outside[c] = (int8_t)w->input_zero_point;
    }
    for (int32_t tap = 0; tap < taps; tap++) {
        offsets[tap] = 0; /* what the rounding up adds has weights of 0 */
    }
    const int32_t y_end = w->input_height - (w->kernel_height - 1) * w->dilation_y;
    const int32_t x_end = w->input_width - (w->kernel_width - 1) * w->dilation_x;
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        const int32_t y0 = at.y * w->stride_y - w->pad_top, x0 = at.x * w->stride_x - w->pad_left;
        const int32_t inside = y0 >= 0 && y0 < y_end && x0 >= 0 && x0 < x_end;
        const int8_t *x = inside ? at.image + (y0 * w->input_width + x0) * channels : at.image;
        if (!inside || !known) {
            find_offsets(offsets, &at, w, x, outside);
        }
        known = inside;
        output = depthwise_multiply(p->quads, x, x + channels, offsets, offsets + taps, output, p->rounding);
        next_pixel(&at, w);
    }
    const int32_t outputs = w->batches * w->output_height * w->output_width * w->channels;
    clamp_bytes(output - outputs, outputs, p->clamp_min, p->clamp_max);
}

#endif
