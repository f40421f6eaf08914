/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, and CONV_2D of few channels, int8: one channel after the other. Bit-exact with TFLite Micro's
 * reference kernels (reference/integer_ops/depthwise_conv.h, conv.h).
 */
#ifndef TINYPROOF_KERNELS_CONV_PLANES_S8_H
#define TINYPROOF_KERNELS_CONV_PLANES_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/conv_planes_parameters.h"

#define PLANES_OUTSIDE INT32_MIN

/* The first `count` rows under the kernel may lie in copies, of one channel: `offset` bytes from it in the image. */
struct planes_copies {
    int32_t count;
    int32_t offset;
};

/* Where the input under the kernel lies, from the first channel of the image on; or PLANES_OUTSIDE. */
KERNEL_INLINE void planes_offsets(int32_t *offset, int32_t at_y, int32_t at_x, const struct planes_copies *copies,
                                  const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    int32_t y = at_y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        int32_t x = at_x * w->stride_x - w->pad_left;
        for (int32_t kx = 0; kx < w->kernel_width; kx++, x += w->dilation_x) {
            const int32_t inside = y >= 0 && y < w->input_height && x >= 0 && x < w->input_width;
            const int32_t copied = copies->offset + ky * w->input_width + x;
            const int32_t place = ky < copies->count ? copied : y * p->input_step_y + x * p->input_step_x;
            *offset++ = inside ? place : PLANES_OUTSIDE;
        }
    }
}

KERNEL_INLINE int32_t planes_sum(const int32_t *offsets, int32_t taps, KERNEL_TABLE int8_t *weights, const int8_t *x,
                                 int32_t outside) {
    int32_t sum = 0;
    for (int32_t tap = 0; tap < taps; tap++) {
        const int32_t offset = offsets[tap];
        sum += weights[tap] * (offset == PLANES_OUTSIDE ? outside : (int32_t)x[offset]);
    }
    return sum;
}

/* A pixel of `groups` groups from `first` on, whose first channel is at `x`. */
KERNEL_INLINE void planes_pixel(const int8_t *x, int8_t *output, const int32_t *offsets, int32_t first, int32_t groups,
                                const struct conv_planes_s8 *p) {
    const int32_t taps = p->window.kernel_height * p->window.kernel_width;
    KERNEL_TABLE int8_t *weights = p->weights + first * p->group_units * p->group_channels * taps;
    KERNEL_TABLE int32_t *scales = p->scales + first * p->group_units * UNIT_SCALES;
    for (int32_t group = groups; group > 0; group--, x += p->group_channels) {
        for (int32_t unit = p->group_units; unit > 0; unit--, scales += UNIT_SCALES) {
            int32_t sum = scales[0];
            for (int32_t channel = 0; channel < p->group_channels; channel++, weights += taps) {
                sum += planes_sum(offsets, taps, weights, x + channel, p->window.input_zero_point);
            }
            *output++ = rescale_pair_s8(sum, scales[1], scales[2], p->rounding);
        }
    }
}

/* A row of `groups` groups from `first` on. */
KERNEL_INLINE void planes_row(const int8_t *input, int8_t *output, int32_t *offsets, int32_t y,
                              const struct planes_copies *copies, int32_t first, int32_t groups,
                              const struct conv_planes_s8 *p) {
    output += y * p->output_step_y;
    for (int32_t x = 0; x < p->window.output_width; x++, output += p->output_step_x) {
        planes_offsets(offsets, y, x, copies, p);
        planes_pixel(input, output, offsets, first, groups, p);
    }
}

/* A depthwise layer with a stride of 1 whose outputs lie where their inputs do: one channel after the other, with copies of
 * the rows that outputs lie over. */
KERNEL_INLINE void planes_in_place(int8_t *image, int32_t *offsets, const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t width = w->input_width, above = w->pad_top * width;
    int8_t *rows = (int8_t *)(offsets + w->kernel_height * w->kernel_width);
    for (int32_t channel = 0; channel < p->groups; channel++, image++) {
        const struct planes_copies copies = {w->pad_top + 1, (int32_t)(rows - image)};
        for (int32_t y = 0; y < w->output_height; y++) {
            const int8_t *row = image + y * p->input_step_y;
            for (int32_t i = 0; i < above; i++) {
                rows[i] = rows[i + width];
            }
            for (int32_t x = 0; x < width; x++) {
                rows[above + x] = row[x * p->input_step_x];
            }
            planes_row(image, image, offsets, y, &copies, channel, 1, p);
        }
    }
}

KERNEL_SHARED void conv_planes_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                  const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t pixels = w->output_height * w->output_width, units = p->groups * p->group_units;
    int32_t *offsets = (int32_t *)(void *)scratch;
    for (int32_t image = w->batches; image > 0; image--) {
        if (p->in_place && input == output) {
            planes_in_place(output, offsets, p);
        } else {
            const struct planes_copies none = {0, 0};
            for (int32_t y = 0; y < w->output_height; y++) {
                planes_row(input, output, offsets, y, &none, 0, p->groups, p);
            }
        }
        clamp_bytes(output, pixels * units, p->clamp_min, p->clamp_max);
        input += p->input_image;
        output += pixels * units;
    }
}

#endif
