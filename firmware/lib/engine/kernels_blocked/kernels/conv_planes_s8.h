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
    int32_t phases; /* only every so many columns are here */
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

/* Outputs of one unit in a strip. */
static __attribute__((noinline, cold)) void planes_rescale(int8_t *output, const int32_t *sums, int32_t rows,
                                                           int32_t count, int32_t sums_pitch, int32_t step,
                                                           const int32_t *scales, const struct conv_planes_s8 *p) {
    const int32_t multiplier = scales[1], scaling = scales[2], rounding = p->rounding;
    for (; rows > 0; rows--, sums += sums_pitch, output += p->output_step_y) {
        const int32_t fours = count / 4;
        int8_t *to = output;
        if (rounds_once(multiplier)) {
            planes_rescale_once(to, sums, count, step, multiplier, scaling);
            continue;
        }
        if (scaling < 0) {
            planes_rescale_left(to, sums, count, step, multiplier, scaling >> 8 & 0x1f, rounding >> 1);
            continue;
        }
        if (fours) {
            planes_rescale_fours(to, sums, fours, step, multiplier, scaling, rounding);
            to += 4 * fours * step;
        }
        for (int32_t i = 4 * fours; i < count; i++, to += step) {
            *to = rescale_pair_s8(sums[i], multiplier, scaling, rounding);
        }
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

/* What the remainder `phase` of the columns has in common. */
struct planes_phase {
    struct planes_columns columns; /* of the input */
    int32_t outputs;               /* of a row */
    int32_t sums_pitch;
};

/* What all channels of a strip have in common. */
struct planes_strip {
    const int16_t *plane;
    word *steps;
    struct planes_outputs outputs;
};

/* Adds a channel to one unit of its group; the last one makes outputs. */
static __attribute__((noinline, cold)) void planes_unit(int8_t *output, int32_t *sums, const int8_t *weights,
                                                        const int32_t *scales, int32_t channel,
                                                        const struct planes_strip *strip,
                                                        const struct planes_phase *phase,
                                                        const struct planes_shape *shape,
                                                        const struct conv_planes_s8 *p) {
    const struct planes_outputs *outputs = &strip->outputs;
    const int32_t row = outputs->row / 2, loops = p->flat ? 1 : outputs->rows;
    const int32_t count = p->flat ? (outputs->rows - 1) * p->pitch + outputs->count : outputs->count;
    if (channel == 0) {
        planes_set(sums, p->sums, scales[0]);
    }
    planes_spread(strip->steps, weights, shape);
    for (int32_t at = 0; at < loops; at++) {
        planes_multiply(sums + at * phase->sums_pitch, (count + 3) / 4, strip->plane + at * row, outputs->stride,
                        strip->steps, shape);
    }
    if (channel == p->group_channels - 1) {
        planes_rescale(output, sums, outputs->rows, outputs->count, phase->sums_pitch, outputs->step, scales, p);
    }
}

/* All channels of `rows` output rows from `y` on. */
static __attribute__((noinline, cold)) void planes_strip(const int8_t *input, int8_t *output, int8_t *scratch,
                                                         int32_t y, int32_t rows, const struct planes_phase *phase,
                                                         const struct planes_shape *shape,
                                                         const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t taps = w->kernel_height * w->kernel_width, step = phase->columns.phases * p->output_step_x;
    const int32_t input_rows = (rows - 1) * w->stride_y + (w->kernel_height - 1) * w->dilation_y + 1;
    int16_t *plane = (int16_t *)(void *)scratch;
    int32_t *sums = (int32_t *)(void *)(plane + p->plane);
    const struct planes_strip strip = {
        plane,
        (word *)(sums + p->group_units * p->sums),
        {rows, phase->outputs, w->stride_x, 2 * w->stride_y * p->pitch, step, p->output_step_y},
    };
    const int8_t *weights = p->weights;
    const int32_t *scales = p->scales;
    const int32_t top = y * w->stride_y - w->pad_top;
    planes_clear(plane, top, input_rows, p);
    for (int32_t group = p->groups; group > 0; group--, output += p->group_units) {
        for (int32_t channel = 0; channel < p->group_channels; channel++) {
            planes_fill(plane, input++, top, input_rows, &phase->columns, p);
            for (int32_t unit = 0; unit < p->group_units; unit++) {
                const int8_t *own = weights + (unit * p->group_channels + channel) * taps;
                const int32_t *factors = scales + unit * UNIT_SCALES;
                if (p->group_channels > 1 ||
                    !planes_at_once(output + unit, plane, own, factors, shape, &strip.outputs)) {
                    planes_unit(output + unit, sums + unit * p->sums, own, factors, channel, &strip, phase, shape, p);
                }
            }
        }
        weights += p->group_units * p->group_channels * taps;
        scales += p->group_units * UNIT_SCALES;
    }
}

/* Every row of the outputs from column `first` on, `outputs` of them. */
static __attribute__((noinline, cold)) void planes_part(const int8_t *input, int8_t *output, int8_t *scratch,
                                                        int32_t first, int32_t outputs,
                                                        const struct planes_shape *shape,
                                                        const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t phases = w->dilation_x, x = first * w->stride_x - w->pad_left;
    int32_t begin = 0, at = x;
    for (; at < 0 && begin < p->pitch; at += phases) {
        begin++;
    }
    int32_t end = begin;
    for (int32_t column = at; column < w->input_width && end < p->pitch; column += phases) {
        end++;
    }
    const struct planes_columns columns = {
        begin, end < p->pitch ? end : p->pitch, at * p->input_step_x, phases * p->input_step_x, phases,
    };
    const struct planes_phase phase = {columns, outputs, p->flat ? p->pitch : (outputs + 3) & ~3};
    int16_t *plane = (int16_t *)(void *)scratch;
    for (int32_t i = 0; i < p->plane; i++) {
        plane[i] = (int16_t)w->input_zero_point;
    }
    for (int32_t y = 0; y < w->output_height; y += p->strip) {
        const int32_t left = w->output_height - y, rows = left < p->strip ? left : p->strip;
        planes_strip(input, output + y * p->output_step_y + first * p->output_step_x, scratch, y, rows, &phase, shape,
                     p);
    }
}

KERNEL_OF_COLD_PARTS void conv_planes_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                         const struct conv_planes_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t outputs = w->output_height * w->output_width * p->groups * p->group_units;
    const int32_t steps = w->stride_x == 1 ? w->kernel_width / 2 + 1 : (w->kernel_width + 1) / 2;
    const int32_t gap = 2 * p->pitch * w->dilation_y - 4 * (steps - 1), phases = w->dilation_x;
    const struct planes_shape shape = {w->kernel_height, w->kernel_width, steps, gap};
    for (int32_t image = w->batches; image > 0; image--) {
        for (int32_t first = 0; first < phases; first++) {
            int32_t left = first < p->long_phases ? p->phase_outputs : p->phase_outputs - 1;
            for (int32_t x = first; left > 0; left -= p->part, x += p->part * phases) {
                planes_part(input, output, scratch, x, left < p->part ? left : p->part, &shape, p);
            }
        }
        clamp_bytes(output, outputs, p->clamp_min, p->clamp_max);
        input += p->input_image;
        output += outputs;
    }
}

#endif
