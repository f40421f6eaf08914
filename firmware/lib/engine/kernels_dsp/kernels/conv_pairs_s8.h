/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D, int8, in pairs of output channels and of output pixels, for cores with the DSP extension. Bit-exact with
 * kernels/, see there.
 *
 * The input under the kernel is widened once for both pixels and then serves all output channels. Of two weights packed
 * as w = 256 b + a, one SMLAD takes w and one a alone, sign-extended from it: half of the unpacking that two rows of int8
 * would need. 32 multiply-accumulates are 26 instructions.
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_S8_H
#define TINYPROOF_KERNELS_CONV_PAIRS_S8_H

#include "kernels/conv_pairs_parameters.h"
#include "kernels/dsp.h"

/* Four inputs of two columns times a pair of rows, on sums p0, s0 and p1, s1. */
#define CONV_FOUR                                                                                                      \
    "ldrd %[w0], %[w1], [%[pair]], #8\n\t"                                                                             \
    "ldmia %[x]!, {r4, r5, r6, r8}\n\t"                                                                                \
    "smlad %[p0], %[w0], r4, %[p0]\n\t"                                                                                \
    "smlad %[p1], %[w0], r6, %[p1]\n\t"                                                                                \
    "sxtb16 %[w0], %[w0]\n\t"                                                                                          \
    "smlad %[s0], %[w0], r4, %[s0]\n\t"                                                                                \
    "smlad %[s1], %[w0], r6, %[s1]\n\t"                                                                                \
    "smlad %[p0], %[w1], r5, %[p0]\n\t"                                                                                \
    "smlad %[p1], %[w1], r8, %[p1]\n\t"                                                                                \
    "sxtb16 %[w1], %[w1]\n\t"                                                                                          \
    "smlad %[s0], %[w1], r5, %[s0]\n\t"                                                                                \
    "smlad %[s1], %[w1], r8, %[s1]\n\t"

/* All pairs from `pair` to `pairs_end` times two interleaved columns. The first column's outputs go to `output`, the
 * second's `distance` bytes further; distance 0 keeps the first's.
 */
static __attribute__((noinline)) void conv_multiply(const int16_t *pair, const int16_t *pairs_end, const word *columns,
                                                    const word *columns_end, int8_t *output, int32_t distance,
                                                    int32_t rounding) {
    uint32_t p0, p1, s0, s1, w0, w1;
    const word *x = columns;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldrd %[s0], %[p0], [%[pair]], #8\n\t"
        "mov %[s1], %[s0]\n\t"
        "mov %[p1], %[p0]\n"
        "2:\n\t" CONV_FOUR CONV_FOUR "cmp %[x], %[end]\n\t"
        "bne 2b\n\t"
        "ldmia %[pair]!, {r4, r5, r6, r8}\n\t"
        "sub %[p0], %[p0], %[s0]\n\t"
        "sub %[p1], %[p1], %[s1]\n\t"
        "asr %[p0], %[p0], #8\n\t"
        "asr %[p1], %[p1], #8\n\t"
        REQUANTIZE_MULTIPLY("%[s0]", "r4") REQUANTIZE_MULTIPLY("%[s1]", "r4")
        REQUANTIZE_MULTIPLY("%[p0]", "r5") REQUANTIZE_MULTIPLY("%[p1]", "r5")
        "ldr %[w0], %[rounding]\n\t"
        "ldr %[w1], %[distance]\n\t"
        "ldr %[x], %[output]\n\t"
        "ldr r4, %[pairs_end]\n\t"
        REQUANTIZE_AWAY_FROM_ZERO("%[s0]") REQUANTIZE_AWAY_FROM_ZERO("%[s1]")
        REQUANTIZE_AWAY_FROM_ZERO("%[p0]") REQUANTIZE_AWAY_FROM_ZERO("%[p1]")
        REQUANTIZE_SHIFT("%[s0]", "r6") REQUANTIZE_SHIFT("%[s1]", "r6")
        REQUANTIZE_SHIFT("%[p0]", "r8") REQUANTIZE_SHIFT("%[p1]", "r8")
        REQUANTIZE_ROUND("%[s0]", "%[w0]") REQUANTIZE_ROUND("%[s1]", "%[w0]")
        REQUANTIZE_ROUND("%[p0]", "%[w0]") REQUANTIZE_ROUND("%[p1]", "%[w0]")
        REQUANTIZE_CLAMP("%[s0]") REQUANTIZE_CLAMP("%[s1]") REQUANTIZE_CLAMP("%[p0]") REQUANTIZE_CLAMP("%[p1]")
        "strb %[s1], [%[x], %[w1]]\n\t"
        "strb %[s0], [%[x]], #1\n\t"
        "strb %[p1], [%[x], %[w1]]\n\t"
        "strb %[p0], [%[x]], #1\n\t"
        "str %[x], %[output]\n\t"
        "cmp %[pair], r4\n\t"
        "ldr %[x], %[columns]\n\t"
        "bne 1b"
        : [pair] "+r"(pair), [x] "+r"(x), [p0] "=&r"(p0), [p1] "=&r"(p1), [s0] "=&r"(s0), [s1] "=&r"(s1),
          [w0] "=&r"(w0), [w1] "=&r"(w1), [output] "+m"(output)
        : [end] "r"(columns_end), [columns] "m"(columns), [pairs_end] "m"(pairs_end), [distance] "m"(distance),
          [rounding] "m"(rounding)
        : "r4", "r5", "r6", "r8", "cc", "memory");
    /* clang-format on */
}

/* One of two interleaved columns: the input under the kernel at a pixel. */
static __attribute__((noinline)) void conv_column(word *column, int8_t *patch, const struct pixel *at,
                                                  const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t words = w->channels / 4;
    if (w->channels % 4 != 0) {
        gather_patch(patch, at, w);
        widen(column, patch, p->depth / 4, 4);
        return;
    }
    const int32_t x0 = at->x * w->stride_x - w->pad_left;
    const int32_t inside = w->dilation_x == 1 && x0 >= 0 && x0 + w->kernel_width <= w->input_width;
    int32_t y = at->y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        const int32_t row_inside = y >= 0 && y < w->input_height;
        if (row_inside && inside) {
            const int8_t *row = at->image + (y * w->input_width + x0) * w->channels;
            column = widen(column, row, w->kernel_width * words, 4);
            continue;
        }
        for (int32_t kx = 0, x = x0; kx < w->kernel_width; kx++, x += w->dilation_x) {
            if (row_inside && x >= 0 && x < w->input_width) {
                column = widen(column, at->image + (y * w->input_width + x) * w->channels, words, 4);
                continue;
            }
            const uint32_t zero = (uint32_t)(w->input_zero_point & 0xffff) * 0x10001U;
            for (int32_t left = words; left > 0; left--, column += 4) {
                column[0] = zero;
                column[1] = zero;
            }
        }
    }
}

KERNEL_SHARED void conv_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t units = p->units, depth = p->depth, rounding = p->rounding;
    word *columns = (word *)(void *)scratch, *columns_end = columns + depth;
    int8_t *patch = scratch + 4 * depth;
    const int16_t *even_end = p->pairs + (units / 2) * (depth + CONV_PAIR_HALVES);
    struct pixel at = {input, 0, 0};
    for (int32_t i = 0; i < depth; i++) { /* what the rounded-up depth adds may hold anything, but something defined */
        columns[i] = 0;
    }
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left -= 2) {
        const int32_t distance = left > 1 ? units : 0;
        conv_column(columns, patch, &at, p);
        next_pixel(&at, w);
        if (left > 1) {
            conv_column(columns + 2, patch, &at, p);
            next_pixel(&at, w);
        }
        if (units > 1) {
            conv_multiply(p->pairs, even_end, columns, columns_end, output, distance, rounding);
        }
        if (units % 2 != 0) {
            int8_t last[4];
            conv_multiply(even_end, even_end + depth + CONV_PAIR_HALVES, columns, columns_end, last, 2, rounding);
            output[distance + units - 1] = last[2];
            output[units - 1] = last[0];
        }
        output += 2 * units;
    }
}

#endif
