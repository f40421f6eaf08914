/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, four channels at a time. Bit-exact with kernels/.
 *
 * Every tap of a pixel is an offset from its channel 0: inside of the image the offsets are the same for all pixels, at
 * the border some lead to a row of zero points instead.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_S8_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_S8_H

#include <string.h>

#include "kernels/clamp_bytes.h"
#include "kernels/depthwise_multiply.h"
#include "kernels/depthwise_quads_parameters.h"

/* The first tap of a pixel, which may be outside of the image. */
struct depthwise_place {
    const int8_t *image;
    const int8_t *outside;
    int32_t y;
    int32_t x;
};

/* Offsets of the taps from `x`; those that are not in the image lead to `outside`. */
static __attribute__((noinline)) void find_offsets(int32_t *offset, const struct depthwise_place *at, const int8_t *x,
                                                   const struct conv_window *w) {
    const int32_t away = (int32_t)(at->outside - x), width = w->input_width, right = w->dilation_x;
    const int32_t step = right * w->channels;
    int32_t y = at->y;
    for (int32_t ky = w->kernel_height; ky > 0; ky--, y += w->dilation_y) {
        const uint32_t inside = (uint32_t)y < (uint32_t)w->input_height ? (uint32_t)width : 0;
        int32_t left = at->x, place = (int32_t)(at->image - x) + (y * width + left) * w->channels;
        const int32_t *const end = offset + w->kernel_width;
        do {
            *offset++ = (uint32_t)left < inside ? place : away;
            left += right;
            place += step;
        } while (offset != end);
    }
}

/* Outputs of a pixel, whose taps lie at offsets from `x`. Returns their end. */
KERNEL_INLINE int8_t *depthwise_pixel(const int8_t *x, int8_t *output, struct depthwise_walk *walk,
                                      const struct depthwise_quads_s8 *p) {
    const int32_t channels = p->window.channels, whole = channels & ~3;
    const int16_t *quad = p->quads;
    int32_t begin = 0, end = whole;
    for (int32_t left = p->multiplier; left > 0;) {
        walk->outputs[0] = (uintptr_t)(x + end);
        quad = depthwise_fours(quad, x + begin, output + begin * p->multiplier, walk);
        begin = channels - 4; /* the last four, of which some are done */
        if (end == channels) {
            begin = 0;
            left--;
            output++;
        }
        end = begin ? channels : whole;
    }
    return output + (channels - 1) * p->multiplier;
}

/* All pixels. Returns the end of the outputs. */
KERNEL_INLINE int8_t *depthwise_images(const int8_t *input, int8_t *output, int8_t *scratch,
                                       const struct depthwise_quads_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t width = w->input_width, channels = w->channels, pad_top = -w->pad_top, pad_left = -w->pad_left;
    const int32_t y_inside = w->input_height - (w->kernel_height - 1) * w->dilation_y;
    const int32_t x_inside = width - (w->kernel_width - 1) * w->dilation_x;
    const int32_t y_end = pad_top + w->output_height * w->stride_y, x_end = pad_left + w->output_width * w->stride_x;
    int32_t *const offsets = (int32_t *)(void *)scratch, *const offsets_end = offsets + p->taps;
    struct depthwise_walk walk = {
        {(uintptr_t)offsets, (uintptr_t)offsets_end},
        {0, (uintptr_t)p->multiplier},
        p->rounding,
    };
    struct depthwise_place at = {input, (int8_t *)offsets_end, pad_top, pad_left};
    int32_t known = 0; /* whether `offsets` are those of the inside */
    memset(scratch, 0, (size_t)(4 * p->taps)); /* what the rounding up adds has weights of 0 */
    memset(offsets_end, w->input_zero_point, (size_t)channels);
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        const int32_t inside = at.y >= 0 && at.y < y_inside && at.x >= 0 && at.x < x_inside;
        const int8_t *x = inside ? at.image + (at.y * width + at.x) * channels : at.image;
        if (!inside || !known) {
            find_offsets(offsets, &at, x, w);
        }
        known = inside;
        output = depthwise_pixel(x, output, &walk, p);
        at.x += w->stride_x;
        if (at.x == x_end) {
            at.x = pad_left;
            at.y += w->stride_y;
            if (at.y == y_end) {
                at.y = pad_top;
                at.image += w->input_height * width * channels;
            }
        }
    }
    return output;
}

KERNEL_SHARED void depthwise_quads_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                      const struct depthwise_quads_s8 *p) {
    const int8_t *end = depthwise_images(input, output, scratch, p);
    clamp_bytes(output, (int32_t)(end - output), p->clamp_min, p->clamp_max);
}

#endif
