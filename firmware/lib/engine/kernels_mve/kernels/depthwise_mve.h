/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, sixteen output channels at a time, for cores with MVE. Bit-exact with depthwise_conv_s8.h.
 *
 * A product of two bytes p fills 16 bits. Sums are kept as L = sum(p) modulo 2^16 and H = sum(floor(p / 2^8)), for which
 * one instruction does (VQDMLAH by 128): 0 <= sum(p) - 2^8 H < 2^16 as long as there are no more than 256 taps, so that
 * the sum is 2^8 H + (L - 2^8 H modulo 2^16).
 *
 * Every tap of a pixel is an offset from its channel 0: inside of the image the offsets are the same for all pixels, so
 * that a row of them is one call; at the border some lead to a row of zero points instead. Where there is room for the
 * rows of the input under a row of the output, they are copied between borders of zero points, and all pixels are inside.
 *
 * Where the output begins where the input does, both are of one shape and the stride is 1: rows are copied before outputs
 * lie over them.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_MVE_H
#define TINYPROOF_KERNELS_DEPTHWISE_MVE_H

#include "kernels/mve.h"

/* Scratch, aligned to 4: 8 * taps + channels bytes, and `kept` rows of the input; with a strip
 * 4 * taps + kernel_height * strip * channels. Tables have zeros up to a multiple of 16 units.
 *
 * Output rows and columns are inside, so that no tap leaves the image, from `rows_from` up to `rows_to` and from
 * `columns_from` on: `steps` times `fold` pixels that fit a vector together, then `rest` ones.
 */
struct depthwise_mve_s8 {
    struct conv_window window;
    int32_t units; /* output channels */
    int32_t taps;
    int32_t rows_from;
    int32_t rows_to;
    int32_t columns_from;
    int32_t steps;
    int32_t fold; /* over 1 only with a stride of 1; the tables are then those of `fold` pixels side by side */
    int32_t rest;
    int32_t strip; /* pixels of a row with its borders, or 0: no rows are copied, but for */
    int32_t kept;  /* so many that outputs lie over too early, if these begin where the input does; or 0 */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    const int8_t *weights; /* [units / 16][taps][16] */
    const int32_t *scales; /* per 16 units, four times, from unit 0, 2, 1 and 3 in steps of 4: bias[4], with the input's
                              zero point in it, then what mve.h says */
};

/* clang-format off */
#define DEPTHWISE_MVE_RIGHT(sum)                                                                                       \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_MULTIPLY(sum, "q5")                                                                                            \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_AWAY_FROM_ZERO(sum, "%[one]") MVE_SHIFT(sum, "q5")
#define DEPTHWISE_MVE_LEFT(sum)                                                                                        \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_SHIFT_LEFT(sum, "q5")                                                                                          \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_MULTIPLY(sum, "q5")                                                                                            \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_AWAY_IF_SHIFTED(sum, "q5", "q7") MVE_SHIFT(sum, "q5")

/* Four sums from `low`, which has 2^8 H taken off, and `high`; `part` is b or t, the bottom or top halves. */
#define DEPTHWISE_MVE_SUMS(to, part, low, high, requantize)                                                            \
    "vmovl" part ".u16 " to ", " low "\n\t"                                                                            \
    "vshll" part ".s16 q5, " high ", #8\n\t"                                                                           \
    "vadd.i32 " to ", " to ", q5\n\t"                                                                                  \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    "vadd.i32 " to ", " to ", q5\n\t"                                                                                  \
    requantize(to)

/* Eight channels in steps of 2, as int16, to `low`. */
#define DEPTHWISE_MVE_EIGHT(low, high, requantize)                                                                     \
    "vshl.i16 q4, " high ", #8\n\t"                                                                                    \
    "vsub.i16 " low ", " low ", q4\n\t"                                                                                \
    DEPTHWISE_MVE_SUMS("q4", "b", low, high, requantize)                                                               \
    DEPTHWISE_MVE_SUMS("q6", "t", low, high, requantize)                                                               \
    "vqmovnb.s32 " low ", q4\n\t"                                                                                      \
    "vqmovnt.s32 " low ", q6\n\t"                                                                                      \
    "vqadd.s16 " low ", " low ", %[tap]\n\t"

/* The inner loop over taps; `units` are those that are left of a pixel. */
#define DEPTHWISE_MVE_TAPS(label, load)                                                                                \
    "dls lr, %[taps]\n"                                                                                                \
    label ":\n\t"                                                                                                      \
    "ldr %[tap], [%[offset]], #4\n\t"                                                                                  \
    "vldrb.8 q5, [%[w]], #16\n\t"                                                                                      \
    "add %[tap], %[x], %[tap]\n\t"                                                                                     \
    load                                                                                                               \
    "vmullb.s8 q6, q4, q5\n\t"                                                                                         \
    "vmullt.s8 q4, q4, q5\n\t"                                                                                         \
    "vadd.i16 q0, q0, q6\n\t"                                                                                          \
    "vqdmlah.s16 q2, q6, %[one]\n\t"                                                                                   \
    "vadd.i16 q1, q1, q4\n\t"                                                                                          \
    "vqdmlah.s16 q3, q4, %[one]\n\t"                                                                                   \
    "le lr, " label "b\n\t"

/* `count` steps of `units` outputs each, which follow one another; the inputs of a step lie at x + offset, and those of
 * the next one `stride` bytes further.
 */
#define DEPTHWISE_MVE_MULTIPLY(requantize)                                                                             \
    const int8_t *weights = p->weights, *w;                                                                                                   \
    const int32_t *scales_begin = p->scales, *scales, *offset;                                                                                    \
    const int32_t taps = p->taps, zero_point = p->zero_point, min = p->clamp_min, max = p->clamp_max;                  \
    const int32_t gap = stride - step_units;                                                                           \
    int32_t tap, one, units;                                                                                           \
    __asm__ volatile(                                                                                                  \
        "1:\n\t"                                                                                                       \
        "ldr %[w], %[weights]\n\t"                                                                                     \
        "ldr %[scales], %[scales_begin]\n\t"                                                                           \
        "ldr %[units], %[step_units]\n"                                                                                \
        "2:\n\t"                                                                                                       \
        "mov %[one], #0\n\t"                                                                                           \
        "vdup.16 q0, %[one]\n\t"                                                                                       \
        "vdup.16 q1, %[one]\n\t"                                                                                       \
        "vdup.16 q2, %[one]\n\t"                                                                                       \
        "vdup.16 q3, %[one]\n\t"                                                                                       \
        "mov %[one], #128\n\t"                                                                                         \
        "mov %[offset], %[offsets]\n\t"                                                                                \
        "vctp.8 %[units]\n\t"                                                                                          \
        "cmp %[units], #16\n\t"                                                                                        \
        "blt 4f\n\t"                                                                                                   \
        DEPTHWISE_MVE_TAPS("3", "vldrb.8 q4, [%[tap]]\n\t")                                                            \
        "b 6f\n"                                                                                                       \
        "4:\n\t"                                                                                                       \
        DEPTHWISE_MVE_TAPS("5", "vpst\n\tvldrbt.8 q4, [%[tap]]\n\t")                                                   \
        "6:\n\t"                                                                                                       \
        "ldr %[tap], %[zero_point]\n\t"                                                                                \
        "mov %[one], #1\n\t"                                                                                           \
        DEPTHWISE_MVE_EIGHT("q0", "q2", requantize)                                                                    \
        DEPTHWISE_MVE_EIGHT("q1", "q3", requantize)                                                                    \
        "ldr %[tap], %[min]\n\t"                                                                                       \
        "ldr %[one], %[max]\n\t"                                                                                       \
        "vqmovnb.s16 q0, q0\n\t"                                                                                       \
        "vdup.8 q4, %[tap]\n\t"                                                                                        \
        "vqmovnt.s16 q0, q1\n\t"                                                                                       \
        "vdup.8 q5, %[one]\n\t"                                                                                        \
        "vmax.s8 q0, q0, q4\n\t"                                                                                       \
        "add %[x], %[x], #16\n\t"                                                                                      \
        "vmin.s8 q0, q0, q5\n\t"                                                                                       \
        "subs %[units], %[units], #16\n\t"                                                                             \
        "vpst\n\t"                                                                                                     \
        "vstrbt.8 q0, [%[output]], #16\n\t"                                                                            \
        "bgt 2b\n\t"                                                                                                   \
        "ldr %[tap], %[gap]\n\t"                                                                                       \
        "add %[x], %[x], %[units]\n\t" /* what the last 16 were too many, below 0 */                                  \
        "add %[output], %[output], %[units]\n\t"                                                                       \
        "add %[x], %[x], %[tap]\n\t"                                                                                   \
        "subs %[count], %[count], #1\n\t"                                                                              \
        "bne 1b"                                                                                                       \
        : [w] "=&r"(w), [x] "+&r"(x), [scales] "=&r"(scales), [offset] "=&r"(offset), [output] "+&r"(output),          \
          [units] "=&r"(units), [tap] "=&r"(tap), [one] "=&r"(one), [count] "+&r"(count)                               \
        : [offsets] "r"(offsets), [taps] "r"(taps), [zero_point] "m"(zero_point), [min] "m"(min), [max] "m"(max),      \
          [gap] "m"(gap), [step_units] "m"(step_units), [weights] "m"(weights), [scales_begin] "m"(scales_begin)       \
        : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "memory")
/* clang-format on */

typedef void depthwise_mve_multiplier(const int8_t *x, int32_t stride, const int32_t *offsets, int8_t *output,
                                      int32_t step_units, int32_t count, const struct depthwise_mve_s8 *p);

/* Where an image's rows lie: up to row `last`, -1 for none, in copies that take turns, the others in the image. */
struct depthwise_mve_rows {
    int32_t copies; /* from the image's begin on */
    int32_t count;
    int32_t last;
};

/* Offsets of a row of `count` taps, the first one in column `x0` and at `place`; of those that are not in the first `width`
 * columns `outside`. */
KERNEL_INLINE void depthwise_mve_row(int32_t *offset, int32_t count, int32_t place, int32_t x0, int32_t outside,
                                     int32_t width, const struct conv_window *w) {
    const int32_t dilation = w->dilation_x, step = dilation * w->channels;
    __asm__ volatile("mov r4, #0\n\t"
                     "vdup.32 q2, %[outside]\n\t"
                     "wlstp.32 lr, %[count], 2f\n"
                     "1:\n\t"
                     "vidup.u32 q0, r4, #1\n\t"
                     "vmul.i32 q1, q0, %[dilation]\n\t"
                     "vmul.i32 q0, q0, %[step]\n\t"
                     "vadd.i32 q1, q1, %[x0]\n\t"
                     "vadd.i32 q0, q0, %[place]\n\t"
                     "vcmp.u32 cs, q1, %[width]\n\t"
                     "vpsel q0, q2, q0\n\t"
                     "vstrw.32 q0, [%[offset]], #16\n\t"
                     "letp lr, 1b\n"
                     "2:"
                     : [offset] "+r"(offset)
                     : [count] "r"(count), [outside] "r"(outside), [dilation] "r"(dilation), [step] "r"(step),
                       [x0] "r"(x0), [place] "r"(place), [width] "r"(width)
                     : "r4", "lr", "q0", "q1", "q2", "cc", "memory");
}

/* Offsets of the taps from the image's begin, `outside` where they leave it: for the pixel whose kernel begins at y0, x0. */
static __attribute__((noinline)) void depthwise_mve_offsets(int32_t *offset, int32_t y0, int32_t x0, int32_t outside,
                                                            const struct depthwise_mve_rows *rows,
                                                            const struct conv_window *w) {
    const int32_t row_bytes = w->input_width * w->channels, count = w->kernel_width;
    int32_t y = y0;
    for (int32_t ky = w->kernel_height; ky > 0; ky--, y += w->dilation_y, offset += count) {
        const int32_t row_inside = y >= 0 && y < w->input_height;
        const int32_t at = row_inside && y <= rows->last ? rows->copies + y % rows->count * row_bytes : y * row_bytes;
        depthwise_mve_row(offset, count, at + x0 * w->channels, x0, outside, row_inside ? w->input_width : 0, w);
    }
}

/* Output pixels of a row, some of whose taps leave the image: from `column` up to `end`. */
static __attribute__((noinline)) void depthwise_mve_border(depthwise_mve_multiplier *multiply, const int8_t *image,
                                                           int8_t *output, int32_t *offsets, const int8_t *outside,
                                                           const struct depthwise_mve_rows *rows, int32_t row,
                                                           int32_t column, int32_t end,
                                                           const struct depthwise_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    for (; column < end; column++) {
        const int32_t y0 = row * w->stride_y - w->pad_top, x0 = column * w->stride_x - w->pad_left;
        depthwise_mve_offsets(offsets, y0, x0, (int32_t)(outside - image), rows, w);
        multiply(image, 0, offsets, output + (row * w->output_width + column) * p->units, p->units, 1, p);
    }
}

/* Row after row and from left to right, so that the output may follow close behind the input; or begin where that does. */
KERNEL_INLINE void depthwise_mve_image(depthwise_mve_multiplier *multiply, const int8_t *image, int8_t *output,
                                       int32_t *offsets, int8_t *outside, const struct depthwise_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, units = p->units, stride = w->stride_x * channels;
    const int32_t columns = p->steps * p->fold, inside_to = p->columns_from + columns + p->rest;
    const int32_t row_bytes = w->input_width * channels, in_place = p->kept > 0 && image == output;
    int32_t *border = offsets + p->taps;
    int8_t *copies = outside + channels;
    struct depthwise_mve_rows rows = {(int32_t)(copies - image), p->kept, -1};
    depthwise_mve_offsets(offsets, 0, 0, 0, &rows, w); /* of all that is inside */
    for (int32_t row = 0; row < w->output_height; row++) {
        if (in_place) {
            mve_copy(copies + row % rows.count * row_bytes, image + row * row_bytes, row_bytes);
            rows.last = row;
        }
        if (row < p->rows_from || row >= p->rows_to || inside_to == 0) {
            depthwise_mve_border(multiply, image, output, border, outside, &rows, row, 0, w->output_width, p);
            continue;
        }
        const int32_t y0 = row * w->stride_y - w->pad_top, x0 = p->columns_from * w->stride_x - w->pad_left;
        const int8_t *x = image + (y0 * w->input_width + x0) * channels;
        int8_t *to = output + (row * w->output_width + p->columns_from) * units;
        depthwise_mve_border(multiply, image, output, border, outside, &rows, row, 0, p->columns_from, p);
        if (in_place) {
            depthwise_mve_offsets(offsets, y0, x0, 0, &rows, w);
            x = image;
        }
        if (p->steps > 0) {
            multiply(x, p->fold * stride, offsets, to, p->fold * units, p->steps, p);
        }
        if (p->rest > 0) {
            multiply(x + columns * stride, stride, offsets, to + columns * units, units, p->rest, p);
        }
        depthwise_mve_border(multiply, image, output, border, outside, &rows, row, inside_to, w->output_width, p);
    }
}

/* Row by row of the outputs, with the rows of the input under it copied to `strip`. With a stride of 1 each row of the
 * image is read once, so that outputs may lie over it. */
KERNEL_INLINE void depthwise_mve_padded(depthwise_mve_multiplier *multiply, const int8_t *image, int8_t *output,
                                        int32_t *offsets, int8_t *strip, const struct depthwise_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, stride = w->stride_x * channels, columns = p->steps * p->fold;
    const int32_t row_bytes = w->input_width * channels, bytes = p->strip * channels, before = w->pad_left * channels;
    const int32_t inside = row_bytes < bytes - before ? row_bytes : bytes - before;
    mve_fill(strip, w->input_zero_point, w->kernel_height * bytes);
    int32_t *offset = offsets;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            *offset++ = ky * bytes + kx * w->dilation_x * channels;
        }
    }
    const int32_t once = w->stride_y == 1 && w->dilation_y == 1, kept = once ? w->kernel_height - 1 : 0;
    for (int32_t row = 0; row < w->output_height; row++, output += w->output_width * p->units) {
        const int32_t first = row > 0 ? kept : 0;
        int32_t y = row * w->stride_y - w->pad_top + first;
        int8_t *to = strip + first * bytes + before;
        mve_copy(strip, strip + bytes, first * bytes);
        for (int32_t ky = first; ky < w->kernel_height; ky++, y += w->dilation_y, to += bytes) {
            if (y >= 0 && y < w->input_height) {
                mve_copy(to, image + y * row_bytes, inside);
            } else {
                mve_fill(to, w->input_zero_point, inside);
            }
        }
        if (p->steps > 0) {
            multiply(strip, p->fold * stride, offsets, output, p->fold * p->units, p->steps, p);
        }
        if (p->rest > 0) {
            multiply(strip + columns * stride, stride, offsets, output + columns * p->units, p->units, p->rest, p);
        }
    }
}

KERNEL_INLINE void depthwise_mve(depthwise_mve_multiplier *multiply, const int8_t *input, int8_t *output,
                                 int8_t *scratch, const struct depthwise_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    int32_t *offsets = (int32_t *)(void *)scratch;
    int8_t *outside = scratch + (p->strip ? 4 : 8) * p->taps; /* or the strip */
    if (!p->strip) {
        mve_fill(outside, w->input_zero_point, w->channels);
    }
    for (int32_t batch = 0; batch < w->batches; batch++) {
        if (p->strip) {
            depthwise_mve_padded(multiply, input, output, offsets, outside, p);
        } else {
            depthwise_mve_image(multiply, input, output, offsets, outside, p);
        }
        input += w->input_height * w->input_width * w->channels;
        output += w->output_height * w->output_width * p->units;
    }
}

#endif
