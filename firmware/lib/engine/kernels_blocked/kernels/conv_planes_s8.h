/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, and CONV_2D of few channels, int8, four outputs of a row at a time. Bit-exact with kernels/.
 *
 * Some rows of one input channel become a plane of int16 with its border of zero points. There neighbours lie side by
 * side, whatever the numbers of channels are: with the DSP extension one instruction takes two taps (planes_multiply.h in
 * kernels_dsp/), without it four outputs share a weight. With a dilation the columns of a row are taken by their
 * remainders, each an undilated image of its own.
 */
#ifndef TINYPROOF_KERNELS_CONV_PLANES_S8_H
#define TINYPROOF_KERNELS_CONV_PLANES_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/conv_planes_parameters.h"
#include "kernels/planes_at_once.h"

/* Columns of the input that are in the image, by their place in a plane's row. */
struct planes_columns {
    int32_t begin;
    int32_t end;
    int32_t offset; /* of the first one in the image's row, in bytes */
    int32_t step;   /* from one to the next, in bytes */
};

/* Rows from `y` on that are not in the image become zero points, for all channels. */
static __attribute__((noinline, cold)) void planes_clear(int16_t *plane, int32_t y, int32_t rows,
                                                         const struct conv_planes_s8 *p) {
    for (; rows > 0; rows--, y++, plane += p->pitch) {
        for (int32_t i = 0; i < p->pitch && (uint32_t)y >= (uint32_t)p->window.input_height; i++) {
            plane[i] = (int16_t)p->window.input_zero_point;
        }
    }
}

/* Rows of a channel that are in the image, from `y` on, to a plane. */
static __attribute__((noinline)) void planes_fill(int16_t *plane, const int8_t *x, int32_t y, int32_t rows,
                                                  const struct planes_columns *columns,
                                                  const struct conv_planes_s8 *p) {
    const int32_t above = y < 0 ? -y : 0, below = y + rows - p->window.input_height;
    const int32_t inside = rows - above - (below > 0 ? below : 0), count = columns->end - columns->begin;
    if (inside > 0 && count > 0) {
        const int8_t *from = x + (y + above) * p->input_step_y + columns->offset;
        planes_widen(plane + above * p->pitch + columns->begin, p->pitch, from, columns->step, p->input_step_y, count,
                     inside);
    }
}

KERNEL_INLINE void planes_set(int32_t *sums, int32_t count, int32_t value) {
    for (; count > 0; count -= 4, sums += 4) {
        sums[0] = value;
        sums[1] = value;
        sums[2] = value;
        sums[3] = value;
    }
}

/* A part of the columns of all rows, strip by strip. */
struct planes_walk {
    struct planes_shape shape;
    struct planes_columns columns; /* of the input */
    struct planes_outputs outputs; /* of the strip */
    int16_t *plane;
    int32_t *sums;
    word *steps;
    int32_t flat; /* rows of sums are as far apart as those of the plane, so that they all are one for the loop */
    int32_t y;    /* of the strip's first output row */
    int32_t kept; /* rows of the plane that are there already */
};

/* Adds a channel of several to one unit of its group, row by row, or all of them as one row. */
static __attribute__((noinline, cold)) void planes_add(int32_t *sums, int32_t bias, int32_t is_first,
                                                       const struct planes_walk *walk, const struct conv_planes_s8 *p) {
    const struct planes_outputs *outputs = &walk->outputs;
    const int32_t loops = walk->flat ? 1 : outputs->rows, rows = walk->flat ? outputs->rows : 1;
    const int32_t count = ((rows - 1) * p->pitch + outputs->count + 3) & ~3;
    const int16_t *plane = walk->plane;
    for (int32_t left = loops; left > 0; left--, sums += p->sums_pitch, plane += outputs->row / 2) {
        if (is_first) {
            planes_set(sums, count, bias);
        }
        planes_multiply(sums, count / 4, plane, outputs->stride, walk->steps, &walk->shape);
    }
}

/* A channel's part of one unit of its group; the last one makes outputs. */
static __attribute__((noinline, cold)) void planes_unit(int8_t *output, int32_t *sums, const int8_t *weights,
                                                        const int32_t *scales, int32_t channel,
                                                        const struct planes_walk *walk,
                                                        const struct conv_planes_s8 *p) {
    struct planes_outputs outputs = walk->outputs;
    const int16_t *plane = walk->plane;
    planes_spread(walk->steps, weights, &walk->shape);
    if (p->group_channels > 1) {
        planes_add(sums, scales[0], channel == 0, walk, p);
        if (channel < p->group_channels - 1) {
            return;
        }
        outputs.stride = 0;
        outputs.row = 4 * p->sums_pitch;
        plane = (const int16_t *)(const void *)sums;
    }
    planes_rows(output, plane, walk->steps, &walk->shape, &outputs, scales, p->rounding);
}

/* `groups` groups of a strip, whose tables begin with those. */
static __attribute__((noinline, cold)) void planes_strip(const int8_t *input, int8_t *output, const int8_t *weights,
                                                         const int32_t *scales, int32_t groups,
                                                         const struct planes_walk *walk,
                                                         const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t taps = w->kernel_height * w->kernel_width, kept = walk->kept;
    const int32_t input_rows = (walk->outputs.rows - 1) * w->stride_y + (w->kernel_height - 1) * w->dilation_y + 1;
    const int32_t top = walk->y * w->stride_y - w->pad_top + kept, more = input_rows - kept;
    int16_t *next = walk->plane + kept * p->pitch;
    planes_clear(next, top, more, p);
    for (int32_t group = groups; group > 0; group--, output += p->group_units) {
        for (int32_t channel = 0; channel < p->group_channels; channel++) {
            planes_fill(next, input++, top, more, &walk->columns, p);
            for (int32_t unit = 0; unit < p->group_units; unit++) {
                const int8_t *own = weights + (unit * p->group_channels + channel) * taps;
                const int32_t *factors = scales + unit * UNIT_SCALES;
                const int32_t done =
                    p->group_channels == 1 &&
                    planes_at_once(output + unit, walk->plane, own, factors, &walk->shape, &walk->outputs, p->rounding);
                if (PLANES_UNITS && !done) {
                    planes_unit(output + unit, walk->sums + unit * p->sums, own, factors, channel, walk, p);
                }
            }
        }
        weights += p->group_units * p->group_channels * taps;
        scales += p->group_units * UNIT_SCALES;
    }
}

/* Every strip of these groups. Where outputs lie over inputs of the same channel, the rows under two strips are kept. */
KERNEL_INLINE void planes_strips(const int8_t *input, int8_t *output, const int8_t *weights, const int32_t *scales,
                                 int32_t groups, int32_t in_place, struct planes_walk *walk,
                                 const struct conv_planes_s8 *p) {
    const int32_t kept = in_place ? p->window.kernel_height - 1 : 0;
    walk->kept = 0;
    for (walk->y = 0; walk->y < p->window.output_height;) {
        const int32_t left = p->window.output_height - walk->y, most = p->first + p->growth * walk->y;
        const int32_t some = most < p->strip ? most : p->strip, rows = some < left ? some : left;
        walk->outputs.rows = rows;
        planes_strip(input, output, weights, scales, groups, walk, p);
        walk->y += rows;
        output += rows * p->output_step_y;
        walk->kept = kept;
        for (int32_t i = 0; i < kept * p->pitch; i++) {
            walk->plane[i] = walk->plane[i + rows * p->pitch];
        }
    }
}

/* Every row of the outputs from column `first` on, `outputs` of them. */
static __attribute__((noinline, cold)) void planes_part(const int8_t *input, int8_t *output, int32_t first,
                                                        int32_t outputs, struct planes_walk *walk,
                                                        const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t phases = w->dilation_x, x = first * w->stride_x - w->pad_left, groups = p->groups;
    const int32_t in_place = p->in_place && input == output && p->strip < w->output_height;
    int32_t begin = 0, at = x;
    for (; at < 0 && begin < p->pitch; at += phases) {
        begin++;
    }
    int32_t end = begin;
    for (int32_t column = at; column < w->input_width && end < p->pitch; column += phases) {
        end++;
    }
    walk->columns = (struct planes_columns){begin, end, at * p->input_step_x, phases * p->input_step_x};
    walk->outputs.count = outputs;
    const word zeros = (word)(w->input_zero_point & 0xffff) * 0x10001;
    word *const plane_end = (word *)(void *)walk->plane + p->plane / 2;
    for (word *two = (word *)(void *)walk->plane; two != plane_end; two++) {
        *two = zeros;
    }
    output += first * p->output_step_x;
    const int8_t *weights = p->weights;
    const int32_t *scales = p->scales;
    for (int32_t left = groups; left > 0; left -= in_place ? 1 : groups) {
        planes_strips(input++, output++, weights, scales, in_place ? 1 : groups, in_place, walk, p);
        weights += w->kernel_height * w->kernel_width;
        scales += UNIT_SCALES;
    }
}

KERNEL_OF_COLD_PARTS void conv_planes_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                         const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t outputs = w->output_height * w->output_width * p->groups * p->group_units;
    const int32_t steps = w->stride_x == 1 ? w->kernel_width / 2 + 1 : (w->kernel_width + 1) / 2;
    const int32_t gap = 2 * p->pitch * w->dilation_y - 4 * (steps - 1), phases = w->dilation_x;
    struct planes_walk walk = {
        .shape = {w->kernel_height, w->kernel_width, steps, gap},
        .outputs = {0, 0, w->stride_x, 2 * w->stride_y * p->pitch, phases * p->output_step_x, p->output_step_y},
        .plane = (int16_t *)(void *)scratch,
        .sums = (int32_t *)(void *)(scratch + 2 * p->plane),
        .steps = (word *)(void *)(scratch + 2 * p->plane + 4 * p->group_units * p->sums),
        .flat = w->stride_x == 1 && w->stride_y == 1 && p->sums_pitch == p->pitch,
    };
    for (int32_t image = w->batches; image > 0; image--) {
        for (int32_t first = 0; first < phases; first++) {
            int32_t left = first < p->long_phases ? p->phase_outputs : p->phase_outputs - 1;
            for (int32_t x = first; left > 0; left -= p->part, x += p->part * phases) {
                planes_part(input, output, x, left < p->part ? left : p->part, &walk, p);
            }
        }
        clamp_bytes(output, outputs, p->clamp_min, p->clamp_max);
        input += p->input_image;
        output += outputs;
    }
}

#endif
