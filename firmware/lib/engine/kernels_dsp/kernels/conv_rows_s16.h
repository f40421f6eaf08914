/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED with int16 activations and int8 weights, in pairs of output channels and of output pixels,
 * for cores with the DSP extension. Bit-exact with kernels/, see there.
 *
 * Of two pixels 32 multiply-accumulates are 32 instructions, of one alone 16 are 22.
 */
#ifndef TINYPROOF_KERNELS_CONV_ROWS_S16_H
#define TINYPROOF_KERNELS_CONV_ROWS_S16_H

#include "kernels/conv_rows_s16_parameters.h"
#include "kernels/rows_s16.h"

/* The weights of two rows, unpacked: places 0 and 1 to v0 and v1, places 2 and 3 to w0 and w1. */
#define ROWS_UNPACK                                                                                                    \
    "ldrd %[w0], %[w1], [%[weights]], #8\n\t"                                                                          \
    "sxtb16 %[v0], %[w0]\n\t"                                                                                          \
    "sxtb16 %[v1], %[w1]\n\t"                                                                                          \
    "sxtb16 %[w0], %[w0], ror #8\n\t"                                                                                  \
    "sxtb16 %[w1], %[w1], ror #8\n\t"

/* Two places of two columns times two rows. */
#define ROWS_TWO(first, second)                                                                                        \
    "ldrd r4, r5, [%[x]], #8\n\t"                                                                                      \
    "smlad %[a0], " first ", r4, %[a0]\n\t"                                                                            \
    "smlad %[b0], " second ", r4, %[b0]\n\t"                                                                           \
    "smlad %[a1], " first ", r5, %[a1]\n\t"                                                                            \
    "smlad %[b1], " second ", r5, %[b1]\n\t"

/* Four places of one column times two rows. */
#define ROWS_FOUR                                                                                                      \
    "ldrd r4, r5, [%[x]], #8\n\t"                                                                                      \
    "smlad %[a0], %[v0], r4, %[a0]\n\t"                                                                                \
    "smlad %[b0], %[v1], r4, %[b0]\n\t"                                                                                \
    "smlad %[a0], %[w0], r5, %[a0]\n\t"                                                                                \
    "smlad %[b0], %[w1], r5, %[b0]\n\t"

/* What two kernels begin and end a pair of rows with; `scales` and `output` move on in memory. */
#define ROWS_BEGIN                                                                                                     \
    "1:\n\t"                                                                                                           \
    "ldr %[v0], %[scales]\n\t"                                                                                         \
    "ldrd %[a0], %[b0], [%[v0]], #8\n\t"                                                                               \
    "str %[v0], %[scales]\n\t"
#define ROWS_SCALES                                                                                                    \
    "cmp %[x], %[x_end]\n\t"                                                                                           \
    "bne 2b\n\t"                                                                                                       \
    "ldr %[x], %[scales]\n\t"                                                                                          \
    "ldrd %[v0], %[v1], [%[x]], #8\n\t"                                                                                \
    "ldrd %[w0], %[w1], [%[x]], #8\n\t"                                                                                \
    "str %[x], %[scales]\n\t"
#define ROWS_END                                                                                                       \
    "str r4, %[output]\n\t"                                                                                            \
    "ldr r4, %[weights_end]\n\t"                                                                                       \
    "ldr %[x], %[columns]\n\t"                                                                                         \
    "cmp %[weights], r4\n\t"                                                                                           \
    "bne 1b"

/* Rows from `weights` to `weights_end` times two interleaved columns, whose outputs lie `distance` bytes apart. */
static __attribute__((noinline)) void rows_times_two(const int8_t *weights, const int8_t *weights_end,
                                                     const word *columns, const word *x_end, const int32_t *scales,
                                                     int16_t *output, int32_t distance, int32_t rounding) {
    uint32_t a0, a1, b0, b1, v0, v1, w0, w1;
    const word *x = columns;
    __asm__ volatile(
        ROWS_BEGIN
        "mov %[a1], %[a0]\n\t"
        "mov %[b1], %[b0]\n"
        "2:\n\t" ROWS_UNPACK ROWS_TWO("%[v0]", "%[v1]") ROWS_TWO("%[w0]", "%[w1]") ROWS_UNPACK ROWS_TWO(
            "%[v0]", "%[v1]") ROWS_TWO("%[w0]", "%[w1]") ROWS_SCALES ROWS_MULTIPLY("%[a0]", "%[v0]")
            ROWS_MULTIPLY("%[a1]", "%[v0]") ROWS_MULTIPLY("%[b0]", "%[v1]") ROWS_MULTIPLY(
                "%[b1]", "%[v1]") "ldr %[v0], %[rounding]\n\t"
                                  "ldr r4, %[output]\n\t"
                                  "ldr r5, %[distance]\n\t" REQUANTIZE_SHIFT("%[a0]", "%[w0]")
                                      REQUANTIZE_SHIFT("%[a1]", "%[w0]") REQUANTIZE_SHIFT("%[b0]", "%[w1]")
                                          REQUANTIZE_SHIFT("%[b1]", "%[w1]") REQUANTIZE_ROUND("%[a0]", "%[v0]")
                                              REQUANTIZE_ROUND("%[a1]", "%[v0]") REQUANTIZE_ROUND("%[b0]", "%[v0]")
                                                  REQUANTIZE_ROUND("%[b1]", "%[v0]") ROWS_CLAMP("%[a0]")
                                                      ROWS_CLAMP("%[a1]") ROWS_CLAMP("%[b0]")
                                                          ROWS_CLAMP("%[b1]") "strh %[a1], [r4, r5]\n\t"
                                                                              "strh %[a0], [r4], #2\n\t"
                                                                              "strh %[b1], [r4, r5]\n\t"
                                                                              "strh %[b0], [r4], #2\n\t" ROWS_END
        : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [a1] "=&r"(a1), [b0] "=&r"(b0), [b1] "=&r"(b1),
          [v0] "=&r"(v0), [v1] "=&r"(v1), [w0] "=&r"(w0), [w1] "=&r"(w1), [scales] "+m"(scales), [output] "+m"(output)
        : [x_end] "r"(x_end), [columns] "m"(columns), [weights_end] "m"(weights_end), [distance] "m"(distance),
          [rounding] "m"(rounding)
        : "r4", "r5", "cc", "memory");
}

/* The same with one column. */
static __attribute__((noinline)) void rows_times_one(const int8_t *weights, const int8_t *weights_end,
                                                     const word *columns, const word *x_end, const int32_t *scales,
                                                     int16_t *output, int32_t rounding) {
    uint32_t a0, b0, v0, v1, w0, w1;
    const word *x = columns;
    __asm__ volatile(
        ROWS_BEGIN "2:\n\t" ROWS_UNPACK ROWS_FOUR ROWS_UNPACK ROWS_FOUR ROWS_SCALES ROWS_MULTIPLY("%[a0]", "%[v0]")
            ROWS_MULTIPLY("%[b0]", "%[v1]") "ldr %[v0], %[rounding]\n\t"
                                            "ldr r4, %[output]\n\t" REQUANTIZE_SHIFT("%[a0]", "%[w0]")
                                                REQUANTIZE_SHIFT("%[b0]", "%[w1]") REQUANTIZE_ROUND("%[a0]", "%[v0]")
                                                    REQUANTIZE_ROUND("%[b0]", "%[v0]") ROWS_CLAMP("%[a0]")
                                                        ROWS_CLAMP("%[b0]") "strh %[a0], [r4], #2\n\t"
                                                                            "strh %[b0], [r4], #2\n\t" ROWS_END
        : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [b0] "=&r"(b0), [v0] "=&r"(v0), [v1] "=&r"(v1),
          [w0] "=&r"(w0), [w1] "=&r"(w1), [scales] "+m"(scales), [output] "+m"(output)
        : [x_end] "r"(x_end), [columns] "m"(columns), [weights_end] "m"(weights_end), [rounding] "m"(rounding)
        : "r4", "r5", "cc", "memory");
}

/* All rows times one column, or two. The outputs of two lie one after the other. */
static __attribute__((noinline)) void rows_times(const word *columns, int32_t count, int16_t *output,
                                                 const struct conv_rows_s16 *p) {
    const word *end = columns + count * (p->depth / 2);
    const int32_t units = p->units, odd = units % 2, even = units - odd;
    const int8_t *odd_weights = p->weights + even * p->depth;
    const int8_t *odd_end = odd_weights + 2 * p->depth;
    const int32_t *odd_scales = p->scales + even / 2 * CONV_ROWS_SCALES;
    int16_t last[4];
    if (count == 2) {
        if (even) {
            rows_times_two(p->weights, odd_weights, columns, end, p->scales, output, 2 * units, p->rounding);
        }
        if (odd) {
            rows_times_two(odd_weights, odd_end, columns, end, odd_scales, last, 4, p->rounding);
            output[even] = last[0];
            output[units + even] = last[2];
        }
    } else {
        if (even) {
            rows_times_one(p->weights, odd_weights, columns, end, p->scales, output, p->rounding);
        }
        if (odd) {
            rows_times_one(odd_weights, odd_end, columns, end, odd_scales, last, p->rounding);
            output[even] = last[0];
        }
    }
    clamp_outputs_s16(output, count * units, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE word *rows_copy(word *column, int32_t step, const loose_word *from, int32_t words) {
    for (; words >= 4; words -= 4, from += 4, column += 4 * step) {
        const uint32_t first = from[0], second = from[1], third = from[2], fourth = from[3];
        column[0] = first;
        column[step] = second;
        column[2 * step] = third;
        column[3 * step] = fourth;
    }
    for (; words > 0; words--, column += step) {
        *column = *from++;
    }
    return column;
}

/* One column: the input under the kernel at a pixel, in words `step` apart. */
KERNEL_INLINE void rows_column(word *column, int32_t step, const struct pixel_s16 *at, const struct conv_rows_s16 *p) {
    const struct conv_window *w = &p->window;
    const int32_t words = w->channels / 2;
    if (w->channels % 2 != 0) {
        int16_t *halves = (int16_t *)(void *)column;
        const int32_t end = p->depth * step;
        for (int32_t i = gather_column_s16(halves, 2 * step, at, w); i < end; i += i % 2 ? 2 * step - 1 : 1) {
            halves[i] = 0;
        }
        return;
    }
    const int32_t x0 = at->x * w->stride_x - w->pad_left;
    const int32_t inside = w->dilation_x == 1 && x0 >= 0 && x0 + w->kernel_width <= w->input_width;
    word *const end = column + step * (p->depth / 2);
    int32_t y = at->y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        const int32_t row_inside = y >= 0 && y < w->input_height;
        if (row_inside && inside) {
            const int16_t *from = at->image + (y * w->input_width + x0) * w->channels;
            column = rows_copy(column, step, (const loose_word *)from, w->kernel_width * words);
            continue;
        }
        for (int32_t kx = 0, x = x0; kx < w->kernel_width; kx++, x += w->dilation_x) {
            if (row_inside && x >= 0 && x < w->input_width) {
                const int16_t *from = at->image + (y * w->input_width + x) * w->channels;
                column = rows_copy(column, step, (const loose_word *)from, words);
                continue;
            }
            for (int32_t left = words; left > 0; left--, column += step) {
                *column = 0;
            }
        }
    }
    for (; column < end; column += step) {
        *column = 0;
    }
}

/* One of two interleaved columns. */
static __attribute__((noinline)) void rows_half(word *column, const struct pixel_s16 *at,
                                                const struct conv_rows_s16 *p) {
    rows_column(column, 2, at, p);
}

KERNEL_SHARED void conv_rows_s16(const int16_t *input, int16_t *output, int8_t *scratch,
                                 const struct conv_rows_s16 *p) {
    const struct conv_window *w = &p->window;
    word *columns = (word *)(void *)scratch;
    struct pixel_s16 at = {input, 0, 0};
    int32_t left = w->batches * w->output_height * w->output_width;
    for (; left > 1; left -= 2, output += 2 * p->units) {
        rows_half(columns, &at, p);
        next_pixel_s16(&at, w);
        rows_half(columns + 1, &at, p);
        next_pixel_s16(&at, w);
        rows_times(columns, 2, output, p);
    }
    if (left > 0) {
        const int32_t whole = w->kernel_height * w->kernel_width == 1 && w->channels == p->depth;
        if (whole && is_inside(&at, w, 0, 0)) {
            const int16_t *tap = at.image + tap_offset(&at, w, 0, 0);
            rows_times((const word *)(const void *)tap, 1, output, p); /* aligned, as its depth is a multiple of 8 */
        } else {
            rows_column(columns, 1, &at, p);
            rows_times(columns, 1, output, p);
        }
    }
}

#endif
