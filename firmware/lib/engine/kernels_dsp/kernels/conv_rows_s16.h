/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED with int16 activations and int8 weights, in pairs of output channels and of output pixels,
 * for cores with the DSP extension. Bit-exact with kernels/, see there.
 *
 * Of two pixels 32 multiply-accumulates are 32 instructions, of one alone 16 are 22.
 */
#ifndef TINYPROOF_KERNELS_CONV_ROWS_S16_H
#define TINYPROOF_KERNELS_CONV_ROWS_S16_H

#include "kernels/conv_rows_s16_parameters.h"
#include "kernels/dsp.h"

/* Sums to outputs: the upper word of the product, rounded once. */
#define ROWS_MULTIPLY(a, multiplier) "smmul " a ", " a ", " multiplier "\n\t"
#define ROWS_CLAMP(a) "ssat " a ", #16, " a ", asr #1\n\t"

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

/* A pair of rows times two interleaved columns, whose outputs lie `distance` bytes apart. Returns the weights' end. */
static __attribute__((noinline)) const int8_t *rows_times_two(const int8_t *weights, const word *x, const word *x_end,
                                                              const int32_t *scales, int16_t *output, int32_t distance,
                                                              int32_t rounding) {
    uint32_t a0, a1, b0, b1, v0, v1, w0, w1;
    __asm__ volatile("ldr %[v0], %[scales]\n\t"
                     "ldrd %[a0], %[b0], [%[v0]], #0\n\t"
                     "mov %[a1], %[a0]\n\t"
                     "mov %[b1], %[b0]\n"
                     "1:\n\t" ROWS_UNPACK ROWS_TWO("%[v0]", "%[v1]") ROWS_TWO("%[w0]", "%[w1]") ROWS_UNPACK
                     ROWS_TWO("%[v0]", "%[v1]") ROWS_TWO("%[w0]", "%[w1]")
                     "cmp %[x], %[x_end]\n\t"
                     "bne 1b\n\t"
                     "ldr %[x], %[scales]\n\t"
                     "add %[x], %[x], #8\n\t"
                     "ldrd %[v0], %[v1], [%[x]], #8\n\t"
                     "ldrd %[w0], %[w1], [%[x]], #8\n\t"
                     ROWS_MULTIPLY("%[a0]", "%[v0]") ROWS_MULTIPLY("%[a1]", "%[v0]")
                     ROWS_MULTIPLY("%[b0]", "%[v1]") ROWS_MULTIPLY("%[b1]", "%[v1]")
                     "ldr %[v0], %[rounding]\n\t"
                     "ldr r4, %[output]\n\t"
                     "ldr r5, %[distance]\n\t"
                     REQUANTIZE_SHIFT("%[a0]", "%[w0]") REQUANTIZE_SHIFT("%[a1]", "%[w0]")
                     REQUANTIZE_SHIFT("%[b0]", "%[w1]") REQUANTIZE_SHIFT("%[b1]", "%[w1]")
                     REQUANTIZE_ROUND("%[a0]", "%[v0]") REQUANTIZE_ROUND("%[a1]", "%[v0]")
                     REQUANTIZE_ROUND("%[b0]", "%[v0]") REQUANTIZE_ROUND("%[b1]", "%[v0]")
                     ROWS_CLAMP("%[a0]") ROWS_CLAMP("%[a1]") ROWS_CLAMP("%[b0]") ROWS_CLAMP("%[b1]")
                     "add r5, r4, r5\n\t"
                     "strh %[a0], [r4], #2\n\t"
                     "strh %[a1], [r5], #2\n\t"
                     "strh %[b0], [r4], #2\n\t"
                     "strh %[b1], [r5], #2"
                     : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [a1] "=&r"(a1), [b0] "=&r"(b0),
                       [b1] "=&r"(b1), [v0] "=&r"(v0), [v1] "=&r"(v1), [w0] "=&r"(w0), [w1] "=&r"(w1)
                     : [x_end] "r"(x_end), [scales] "m"(scales), [output] "m"(output), [distance] "m"(distance),
                       [rounding] "m"(rounding)
                     : "r4", "r5", "cc", "memory");
    return weights;
}

/* The same with one column. */
static __attribute__((noinline)) const int8_t *rows_times_one(const int8_t *weights, const word *x, const word *x_end,
                                                              const int32_t *scales, int16_t *output,
                                                              int32_t rounding) {
    uint32_t a0, b0, v0, v1, w0, w1;
    __asm__ volatile("ldr %[v0], %[scales]\n\t"
                     "ldrd %[a0], %[b0], [%[v0]], #0\n"
                     "1:\n\t" ROWS_UNPACK ROWS_FOUR ROWS_UNPACK ROWS_FOUR
                     "cmp %[x], %[x_end]\n\t"
                     "bne 1b\n\t"
                     "ldr %[x], %[scales]\n\t"
                     "add %[x], %[x], #8\n\t"
                     "ldrd %[v0], %[v1], [%[x]], #8\n\t"
                     "ldrd %[w0], %[w1], [%[x]], #8\n\t"
                     ROWS_MULTIPLY("%[a0]", "%[v0]") ROWS_MULTIPLY("%[b0]", "%[v1]")
                     "ldr %[v0], %[rounding]\n\t"
                     "ldr r4, %[output]\n\t"
                     REQUANTIZE_SHIFT("%[a0]", "%[w0]") REQUANTIZE_SHIFT("%[b0]", "%[w1]")
                     REQUANTIZE_ROUND("%[a0]", "%[v0]") REQUANTIZE_ROUND("%[b0]", "%[v0]")
                     ROWS_CLAMP("%[a0]") ROWS_CLAMP("%[b0]")
                     "strh %[a0], [r4], #2\n\t"
                     "strh %[b0], [r4], #2"
                     : [weights] "+r"(weights), [x] "+r"(x), [a0] "=&r"(a0), [b0] "=&r"(b0), [v0] "=&r"(v0),
                       [v1] "=&r"(v1), [w0] "=&r"(w0), [w1] "=&r"(w1)
                     : [x_end] "r"(x_end), [scales] "m"(scales), [output] "m"(output), [rounding] "m"(rounding)
                     : "r4", "r5", "cc", "memory");
    return weights;
}

/* All rows times one column, or two. The outputs of two lie one after the other. */
static __attribute__((noinline)) void rows_times(const word *columns, int32_t count, int16_t *output,
                                                 const struct conv_rows_s16 *p) {
    const word *end = columns + count * (p->depth / 2);
    const int8_t *weights = p->weights;
    const int32_t *scales = p->scales;
    const int32_t units = p->units, rounding = p->rounding;
    int16_t last[4];
    for (int32_t unit = 0; unit < units; unit += 2, scales += CONV_ROWS_SCALES) {
        const int32_t whole = unit + 1 < units;
        int16_t *to = whole ? output + unit : last;
        if (count == 2)
            weights = rows_times_two(weights, columns, end, scales, to, whole ? 2 * units : 4, rounding);
        else
            weights = rows_times_one(weights, columns, end, scales, to, rounding);
        if (!whole) {
            output[unit] = last[0];
            if (count == 2)
                output[units + unit] = last[2];
        }
    }
    if (p->clamp_min > -32768 || p->clamp_max < 32767) {
        for (int32_t i = 0; i < count * units; i++) {
            int32_t y = output[i];
            y = y < p->clamp_min ? p->clamp_min : y;
            output[i] = (int16_t)(y > p->clamp_max ? p->clamp_max : y);
        }
    }
}

/* One column: the input under the kernel at a pixel, in words `step` apart. */
static __attribute__((noinline)) void rows_column(word *column, int32_t step, const struct pixel_s16 *at,
                                                  const struct conv_rows_s16 *p) {
    const struct conv_window *w = &p->window;
    const int32_t words = w->channels / 2;
    if (w->channels % 2 != 0) {
        int16_t *halves = (int16_t *)(void *)column;
        const int32_t end = p->depth * step;
        for (int32_t i = gather_column_s16(halves, 2 * step, at, w); i < end; i += i % 2 ? 2 * step - 1 : 1)
            halves[i] = 0;
        return;
    }
    const int32_t x0 = at->x * w->stride_x - w->pad_left;
    const int32_t inside = w->dilation_x == 1 && x0 >= 0 && x0 + w->kernel_width <= w->input_width;
    word *const end = column + step * (p->depth / 2);
    int32_t y = at->y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        const int32_t row_inside = y >= 0 && y < w->input_height;
        const int32_t taps = row_inside && inside ? 1 : w->kernel_width;
        const int32_t count = row_inside && inside ? w->kernel_width * words : words;
        for (int32_t kx = 0, x = x0; kx < taps; kx++, x += w->dilation_x) {
            if (row_inside && x >= 0 && x < w->input_width) {
                const loose_word *from = (const loose_word *)(at->image + (y * w->input_width + x) * w->channels);
                for (int32_t left = count; left > 0; left--, column += step)
                    *column = *from++;
            } else {
                for (int32_t left = count; left > 0; left--, column += step)
                    *column = 0;
            }
        }
    }
    for (; column < end; column += step)
        *column = 0;
}

KERNEL_SHARED void conv_rows_s16(const int16_t *input, int16_t *output, int8_t *scratch,
                                 const struct conv_rows_s16 *p) {
    const struct conv_window *w = &p->window;
    word *columns = (word *)(void *)scratch;
    struct pixel_s16 at = {input, 0, 0};
    int32_t left = w->batches * w->output_height * w->output_width;
    for (; left > 1; left -= 2, output += 2 * p->units) {
        rows_column(columns, 2, &at, p);
        next_pixel_s16(&at, w);
        rows_column(columns + 1, 2, &at, p);
        next_pixel_s16(&at, w);
        rows_times(columns, 2, output, p);
    }
    if (left > 0) {
        rows_column(columns, 1, &at, p);
        rows_times(columns, 1, output, p);
    }
}

#endif
