/* SPDX-License-Identifier: Apache-2.0
 * The input under a convolution's kernel as columns of int16, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_CONV_COLUMNS_H
#define TINYPROOF_KERNELS_CONV_COLUMNS_H

#include "kernels/conv_pairs_parameters.h"
#include "kernels/dsp.h"
#include "kernels/widen.h"

/* Widens `rows` rows of `words` words each, both at least 1, from four places to four columns, interleaved by words: 16
 * bytes in 17 instructions. Rows lie `step` bytes apart. Returns the end of the columns. */
static __attribute__((noinline)) word *widen_four(word *columns, const int8_t *const from[4], int32_t words,
                                                  int32_t rows, int32_t step) {
    const int8_t *from0 = from[0], *from1 = from[1], *from2 = from[2], *from3 = from[3];
    int32_t left = words;
    const int32_t gap = step - 4 * words;
    /* clang-format off */
    __asm__ volatile(
        ALIGN_LOOP
        "1:\n\t"
        "ldr r8, [%[from0]], #4\n\t"
        "ldr r9, [%[from1]], #4\n\t"
        "ldr r10, [%[from2]], #4\n\t"
        "ldr r11, [%[from3]], #4\n\t"
        "sxtb16 r4, r8\n\t"
        "sxtb16 r5, r9\n\t"
        "sxtb16 r6, r10\n\t"
        "sxtb16 r8, r8, ror #8\n\t"
        "sxtb16 r9, r9, ror #8\n\t"
        "sxtb16 r10, r10, ror #8\n\t"
        "sxtb16 r12, r11\n\t"
        "sxtb16 r11, r11, ror #8\n\t"
        "strd r4, r5, [%[columns]], #8\n\t"
        "strd r6, r12, [%[columns]], #8\n\t"
        "subs %[left], %[left], #1\n\t"
        "stmia %[columns]!, {r8, r9, r10, r11}\n\t"
        "bne 1b\n\t"
        "ldr r4, %[rows]\n\t"
        "ldr r5, %[gap]\n\t"
        "ldr %[left], %[words]\n\t"
        "subs r4, r4, #1\n\t"
        "add %[from0], %[from0], r5\n\t"
        "add %[from1], %[from1], r5\n\t"
        "add %[from2], %[from2], r5\n\t"
        "add %[from3], %[from3], r5\n\t"
        "str r4, %[rows]\n\t"
        "bne 1b"
        : [columns] "+r"(columns), [from0] "+r"(from0), [from1] "+r"(from1), [from2] "+r"(from2), [from3] "+r"(from3),
          [left] "+r"(left), [rows] "+m"(rows)
        : [words] "m"(words), [gap] "m"(gap)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    /* clang-format on */
    return columns;
}

/* What is called rarely or does little itself is `cold`, which keeps it small; this is not. The last of several words
 * overlaps the one before. */
static __attribute__((noinline, hot)) void copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
    if (count < 4) {
        for (; count > 0; count--) {
            *to++ = *from++;
        }
        return;
    }
    for (; count > 8; count -= 8, to += 8, from += 8) {
        const uint32_t first = ((const loose_word *)from)[0], second = ((const loose_word *)from)[1];
        ((loose_word *)to)[0] = first;
        ((loose_word *)to)[1] = second;
    }
    if (count > 4) {
        *(loose_word *)to = *(const loose_word *)from;
    }
    *(loose_word *)(to + count - 4) = *(const loose_word *)(from + count - 4);
}

static __attribute__((noinline, hot)) void set_bytes(int8_t *to, int32_t count, int32_t value) {
    for (; count >= 4; count -= 4, to += 4) {
        *(loose_word *)to = (uint32_t)(value & 0xff) * 0x01010101U;
    }
    for (; count > 0; count--) {
        *to++ = (int8_t)value;
    }
}

/* The rows of the input under a row of the output, `y` the first of them, each p->strip pixels with the borders. */
static __attribute__((noinline, cold)) void conv_strip(int8_t *to, const int8_t *image, int32_t y,
                                                       const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t zero = w->input_zero_point, row = w->input_width * w->channels, bytes = p->strip * w->channels;
    const int32_t before = w->pad_left * w->channels, inside = row < bytes - before ? row : bytes - before;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y, to += bytes) {
        if ((uint32_t)y >= (uint32_t)w->input_height) {
            set_bytes(to, bytes, zero);
            continue;
        }
        set_bytes(to, before, zero);
        copy_bytes(to + before, image + y * row, inside);
        set_bytes(to + before + inside, bytes - before - inside, zero);
    }
}

/* A pixel, and the input under the kernel there. */
struct conv_place {
    const int8_t *from; /* its first byte, if it is inside */
    int32_t y;
    int32_t x;
    int32_t whole; /* the rows that are inside are so as a whole, without gaps */
};

struct conv_source {
    const struct conv_window *window;
    const int8_t *last; /* where a row may begin at most to be read in whole words */
    int32_t row_bytes;  /* of a row of the kernel, in whole words */
    int32_t run;        /* so many pairs of output channels are rescaled as the first one is */
};

KERNEL_INLINE struct conv_place find_place(const struct pixel *at, const struct conv_window *w) {
    const int32_t y = at->y * w->stride_y - w->pad_top, x = at->x * w->stride_x - w->pad_left;
    const int32_t whole =
        x >= 0 && x + w->kernel_width <= w->input_width && (w->dilation_x == 1 || w->kernel_width == 1);
    const struct conv_place place = {at->image + (y * w->input_width + x) * w->channels, y, x, whole};
    return place;
}

/* Copies a row of the kernel that is not inside as it is; what it leaves out is the zero point. */
static __attribute__((noinline, cold)) void conv_patch(int8_t *patch, const struct conv_place *place,
                                                       const struct conv_source *source) {
    const struct conv_window *w = source->window;
    const int32_t channels = w->channels, step = w->dilation_x * channels;
    for (int32_t i = 0; i < source->row_bytes; i += 4) {
        *(loose_word *)(patch + i) = (uint32_t)(w->input_zero_point & 0xff) * 0x01010101U;
    }
    if ((uint32_t)place->y >= (uint32_t)w->input_height) {
        return;
    }
    int32_t begin = 0, end = w->kernel_width, x = place->x;
    for (; x < 0 && begin < end; x += w->dilation_x) {
        begin++;
    }
    while (begin < end && place->x + (end - 1) * w->dilation_x >= w->input_width) {
        end--;
    }
    const int32_t run = w->dilation_x == 1 ? end - begin : 1;
    for (int32_t kx = begin; kx < end; kx += run) {
        copy_bytes(patch + kx * channels, place->from + kx * step, run * channels);
    }
}

/* Where a row of the kernel lies, in the image or in `patch`; the place moves on to the next row. */
KERNEL_INLINE const int8_t *conv_row(struct conv_place *place, int8_t *patch, const struct conv_source *source) {
    const struct conv_window *w = source->window;
    const int8_t *from = place->from;
    if (!place->whole || (uint32_t)place->y >= (uint32_t)w->input_height || from > source->last) {
        conv_patch(patch, place, source);
        from = patch;
    }
    place->y += w->dilation_y;
    place->from += w->dilation_y * w->input_width * w->channels;
    return from;
}

/* The columns of four pixels, or three, anywhere; `patches` has room for four rows. */
static __attribute__((noinline, cold)) void conv_four_columns(word *columns, const struct pixel at[4], int8_t *patches,
                                                              const struct conv_source *source) {
    const struct conv_window *w = source->window;
    struct conv_place places[4];
    for (int32_t i = 0; i < 4; i++) {
        places[i] = find_place(&at[i], w);
    }
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        const int8_t *from[4];
        for (int32_t i = 0; i < 4; i++) {
            from[i] = conv_row(&places[i], patches + i * source->row_bytes, source);
        }
        columns = widen_four(columns, from, source->row_bytes / 4, 1, 0);
    }
}

/* Where the input under a pixel begins, if its taps and those of the pixels beside it lie inside as a whole, and how many
 * fours of pixels there are of that kind: `fours`, up to the end of the row. */
KERNEL_INLINE const int8_t *conv_inside(int32_t *fours, const struct pixel *at, const struct conv_source *source) {
    const struct conv_window *w = source->window;
    const struct conv_place place = find_place(at, w);
    const int32_t step = w->stride_x * w->channels, row = w->input_width * w->channels * w->dilation_y;
    const int8_t *last = source->last - (w->kernel_height - 1) * row - 3 * step;
    int32_t count = (w->output_width - at->x) / 4;
    *fours = 0;
    if (!place.whole || place.y < 0 || place.y + (w->kernel_height - 1) * w->dilation_y >= w->input_height) {
        return place.from;
    }
    for (int32_t x = place.x + 3 * w->stride_x + w->kernel_width; count > 0; count--, x += 4 * w->stride_x) {
        const int8_t *from = place.from + *fours * 4 * step;
        if (x > w->input_width || from > last) {
            break;
        }
        *fours += 1;
    }
    return place.from;
}

/* The column of one pixel. */
static __attribute__((noinline, cold)) void conv_column(word *column, const struct pixel *at, int8_t *patch,
                                                        const struct conv_source *source) {
    struct conv_place place = find_place(at, source->window);
    for (int32_t ky = 0; ky < source->window->kernel_height; ky++) {
        column = widen(column, conv_row(&place, patch, source), source->row_bytes / 4);
    }
}

#endif
