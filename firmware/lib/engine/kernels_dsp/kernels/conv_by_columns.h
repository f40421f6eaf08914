/* SPDX-License-Identifier: Apache-2.0
 * The rows of the input under a row of the output, laid out so that the kernel at any pixel is one row of bytes, for cores
 * with the DSP extension.
 *
 * Pixels are taken from all rows, one row's after the other's. With a dilation those come together that are so many
 * columns apart: as many parts of the strip as the dilation has columns, one after the other.
 */
#ifndef TINYPROOF_KERNELS_CONV_BY_COLUMNS_H
#define TINYPROOF_KERNELS_CONV_BY_COLUMNS_H

#include "kernels/conv_columns.h"
#include "kernels/conv_multiply.h"

/* Pixels of one to three bytes. */
KERNEL_INLINE void copy_small(int8_t *to, int32_t step, const int8_t *from, int32_t from_step, int32_t channels,
                              int32_t count) {
    for (; count > 0; count--, to += step, from += from_step) {
        const loose_half first = channels > 1 ? *(const loose_half *)from : 0;
        const int8_t last = from[channels - 1];
        if (channels > 1) {
            *(loose_half *)to = first;
        }
        if (channels != 2) {
            to[channels - 1] = last;
        }
    }
}

/* Pixels, `from_step` bytes apart, to places `step` bytes apart. */
static __attribute__((noinline, hot)) void copy_pixels(int8_t *to, int32_t step, const int8_t *from, int32_t from_step,
                                                       int32_t channels, int32_t count) {
    if (channels == 1) {
        copy_small(to, step, from, from_step, 1, count);
    } else if (channels == 2) {
        copy_small(to, step, from, from_step, 2, count);
    } else if (channels == 3) {
        copy_small(to, step, from, from_step, 3, count);
    } else {
        for (; count > 0; count--, to += step, from += from_step) {
            copy_bytes(to, from, channels);
        }
    }
}

/* Row `y` of the image, or zero points, to its places in a strip that begins at `to`, whose borders are there already. */
static __attribute__((noinline, cold)) void columns_row(int8_t *to, const int8_t *image, int32_t y,
                                                        const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, step = w->kernel_height * channels, phases = w->dilation_x;
    const int32_t part = p->strip / phases, width = w->input_width;
    if ((uint32_t)y >= (uint32_t)w->input_height) {
        for (int32_t left = p->strip; left > 0; left--, to += step) {
            set_bytes(to, channels, w->input_zero_point);
        }
        return;
    }
    for (int32_t phase = 0; phase < phases; phase++, to += part * step) {
        int32_t begin = 0, x = phase - w->pad_left;
        for (; x < 0 && begin < part; x += phases) {
            begin++;
        }
        const int32_t columns = x < width ? (width - x + phases - 1) / phases : 0;
        const int32_t count = columns < part - begin ? columns : part - begin;
        copy_pixels(to + begin * step, step, image + (y * width + x) * channels, phases * channels, channels, count);
    }
}

/* Where the kernel's bytes begin at the next pixels of a row, one after the other. */
struct columns_walk {
    const int8_t *x;
    int32_t step;
    int32_t phases;
    int32_t phase;
    int32_t back; /* from the last part of the strip to the first one's next pixel */
};

KERNEL_INLINE const int8_t *columns_next(struct columns_walk *walk) {
    const int8_t *x = walk->x;
    walk->x += walk->step;
    if (++walk->phase == walk->phases) {
        walk->phase = 0;
        walk->x -= walk->back;
    }
    return x;
}

KERNEL_INLINE struct columns_walk columns_begin(const int8_t *strip, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t pixel = w->kernel_height * w->channels, phases = w->dilation_x, part = p->strip / phases * pixel;
    if (phases == 1) {
        return (struct columns_walk){strip, w->stride_x * pixel, 1, 0, 0};
    }
    return (struct columns_walk){strip, part, phases, 0, phases * part - pixel};
}

/* A row of outputs. */
static __attribute__((noinline, hot)) void columns_outputs(int8_t *output, word *columns, const int8_t *strip,
                                                           int32_t run, const struct conv_pairs_s8 *p) {
    const int32_t words = p->depth / 4, units = p->units;
    struct columns_walk walk = columns_begin(strip, p);
    for (int32_t left = p->window.output_width, count; left > 0; left -= count, output += count * units) {
        const int8_t *const first = columns_next(&walk);
        count = conv_group(left);
        if (count == 1) {
            widen(columns, first, words);
        } else {
            const int8_t *const second = columns_next(&walk), *const third = columns_next(&walk);
            const int8_t *const from[4] = {first, second, third, count == 4 ? columns_next(&walk) : third};
            widen_four(columns, from, words, 1, 0);
        }
        conv_multiply(output, count, columns, run, p);
    }
}

/* Row by row of the outputs, by the columns of the kernel. */
static __attribute__((noinline, cold)) void conv_by_columns(const int8_t *input, int8_t *output, word *columns,
                                                            int8_t *strip, int32_t run, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, row_bytes = w->output_width * p->units;
    set_bytes(strip, w->kernel_height * p->strip * channels, w->input_zero_point);
    for (int32_t image = w->batches; image > 0; image--, input += w->input_height * w->input_width * channels) {
        for (int32_t row = 0; row < w->output_height; row++, output += row_bytes) {
            int32_t y = row * w->stride_y - w->pad_top;
            for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
                columns_row(strip + ky * channels, input, y, p);
            }
            columns_outputs(output, columns, strip, run, p);
        }
    }
}

#endif
