/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED, int8, in pairs of output channels and fours of output pixels, for cores with the DSP
 * extension. Bit-exact with kernels/, see there.
 *
 * The input under the kernel is widened once for four pixels, or for one, and then serves all output channels.
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_S8_H
#define TINYPROOF_KERNELS_CONV_PAIRS_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/conv_columns.h"
#include "kernels/conv_multiply.h"
#ifdef CONV_BY_COLUMNS
#include "kernels/conv_by_columns.h"
#endif

/* All pixels of `w`, whose images lie at `input`; whole words may be read up to `last`. */
static __attribute__((noinline, cold)) void conv_pixels(const int8_t *input, int8_t *output, word *columns,
                                                        int8_t *patches, const struct conv_source *source,
                                                        const struct conv_pairs_s8 *p) {
    const struct conv_window *w = source->window;
    const int32_t units = p->units;
    const int32_t step = w->stride_x * w->channels, row = w->input_width * w->channels * w->dilation_y;
    struct pixel at[4], next = {input, 0, 0};
    int32_t left = w->batches * w->output_height * w->output_width, count;
    for (; left > 0; left -= count, output += count * units) {
        int32_t fours;
        const int8_t *x = conv_inside(&fours, &next, source);
        for (; fours > 0; fours--, x += 4 * step, output += 4 * units, left -= 4) {
            const int8_t *const from[4] = {x, x + step, x + 2 * step, x + 3 * step};
            widen_four(columns, from, source->row_bytes / 4, w->kernel_height, row);
            conv_multiply(output, 4, columns, source->run, p);
            next.x += 3;
            next_pixel(&next, w);
        }
        count = conv_group(left);
        if (left == 0) {
            break;
        }
        for (int32_t i = 0; i < count; i++) {
            at[i] = next;
            next_pixel(&next, w);
        }
        if (count == 1) {
            conv_column(columns, at, patches, source);
        } else {
            at[3] = at[count - 1];
            conv_four_columns(columns, at, patches, source);
        }
        conv_multiply(output, count, columns, source->run, p);
    }
}

/* Row by row of the outputs, with the rows of the input under it copied between borders of zero points. */
static __attribute__((noinline, cold)) void conv_padded(const int8_t *input, int8_t *output, word *columns,
                                                        int8_t *strip, int32_t run, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, row_bytes = w->input_width * channels, width = p->strip;
    const int32_t kernel_row = (w->kernel_width * channels + 3) & ~3;
    struct conv_window row = *w;
    row.batches = 1;
    row.input_height = w->kernel_height;
    row.input_width = width;
    row.output_height = 1;
    row.dilation_y = 1;
    row.pad_top = 0;
    row.pad_left = 0;
    /* Beyond its end the strip has room for what a whole word reads too much. */
    const struct conv_source source = {
        &row,
        strip + w->kernel_height * width * channels - kernel_row + 3,
        kernel_row,
        run,
    };
    for (int32_t image = w->batches; image > 0; image--, input += w->input_height * row_bytes) {
        for (int32_t y = 0; y < w->output_height; y++, output += w->output_width * p->units) {
            conv_strip(strip, input, y * w->stride_y - w->pad_top, p);
            conv_pixels(strip, output, columns, strip, &source, p);
        }
    }
}

/* Pixels that lie one after the other in whole words: fours, where all pairs are rescaled by one rounding, and single ones.
 */
static __attribute__((noinline, cold)) void conv_direct(const int8_t *input, int8_t *output, word *columns,
                                                        int32_t fours, int32_t ones, const struct conv_pairs_s8 *p) {
    const int32_t depth = p->depth, units = p->units;
    const struct pairs_walk walk = conv_walk(p, 0, units / 2);
    for (; fours > 0; fours--, input += 4 * depth, output += 4 * units) {
        const int8_t *const from[4] = {input, input + depth, input + 2 * depth, input + 3 * depth};
        pairs_once_times_four(&walk, columns, widen_four(columns, from, depth / 4, 1, 0), output, units, 3 * units);
    }
    for (; ones > 0; ones--, input += depth, output += units) {
        widen(columns, input, depth / 4);
        conv_multiply_one(output, columns, p);
    }
}

KERNEL_OF_COLD_PARTS void conv_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                        const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t pixels = w->batches * w->output_height * w->output_width;
    const int32_t bytes = w->batches * w->input_height * w->input_width * w->channels;
    const int32_t row_bytes = (w->kernel_width * w->channels + 3) & ~3;
    const int32_t run = p->units > 1 && pixels > 2 ? conv_run(p, 0) : 0;
    const struct conv_source source = {w, input + bytes - row_bytes, row_bytes, run};
    word *columns = (word *)(void *)scratch;
    int8_t *behind = scratch + (pixels > 2 ? 8 : 2) * p->depth;
    const int32_t direct = is_pointwise(w) && row_bytes == w->channels, fours = pixels & ~3, rest = pixels & 3;
#ifdef CONV_BY_COLUMNS
    if (p->by_columns) {
        conv_by_columns(input, output, columns, behind, run, p);
        clamp_bytes(output, pixels * p->units, p->clamp_min, p->clamp_max);
        return;
    }
#endif
    if (p->strip) {
        conv_padded(input, output, columns, behind, run, p);
    } else if (direct && pixels < 3) {
        conv_direct(input, output, columns, 0, pixels, p);
    } else if (direct && rest < 3 && 2 * run == p->units && rounds_once(p->scales[2])) {
        conv_direct(input, output, columns, fours / 4, rest, p);
    } else {
        conv_pixels(input, output, columns, behind, &source, p);
    }
    clamp_bytes(output, pixels * p->units, p->clamp_min, p->clamp_max);
}

#endif
