/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, sixteen output channels at a time, for cores with MVE. Bit-exact with depthwise_conv_s8.h.
 *
 * A product of two bytes p fills 16 bits. Sums are kept as L = sum(p) modulo 2^16 and H = sum(floor(p / 2^8)), for which
 * one instruction does (VQDMLAH by 128): 0 <= sum(p) - 2^8 H < 2^16 as long as there are no more than 256 taps, so that
 * the sum is 2^8 H + (L - 2^8 H modulo 2^16).
 *
 * Every tap of a pixel is an offset from its channel 0: inside of the image the offsets are the same for all pixels, at
 * the border some lead to a row of zero points instead.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_MVE_H
#define TINYPROOF_KERNELS_DEPTHWISE_MVE_H

#include "kernels/mve.h"

/* Scratch: 4 * taps + channels bytes, aligned to 4. Tables have zeros up to a multiple of 16 channels. */
struct depthwise_mve_s8 {
    struct conv_window window;
    int32_t taps;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    const int8_t *weights; /* [units / 16][taps][16] */
    const int32_t *scales; /* per 16 channels, four times, from channel 0, 2, 1 and 3 in steps of 4: bias[4], with the
                              input's zero point in it, then what mve.h says */
};

/* clang-format off */
#define DEPTHWISE_MVE_RIGHT(sum)                                                                                       \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_MULTIPLY(sum, "q5")                                                                                            \
    "vldrw.32 q5, [%[scales]], #16\n\t"                                                                                \
    MVE_AWAY_FROM_ZERO(sum, "%[left]") MVE_SHIFT(sum, "q5")
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
    "vqadd.s16 " low ", " low ", %[x_tap]\n\t"

/* A pixel: inputs at x + offset. */
#define DEPTHWISE_MVE_MULTIPLY(requantize)                                                                             \
    const int8_t *w = p->weights;                                                                                      \
    const int32_t *scales = p->scales, *offset;                                                                        \
    const int32_t taps = p->taps, zero_point = p->zero_point, min = p->clamp_min, max = p->clamp_max;                  \
    int32_t channels = p->window.channels;                                                                             \
    int32_t x_tap, left;                                                                                               \
    __asm__ volatile(                                                                                                  \
        "1:\n\t"                                                                                                       \
        "vctp.8 %[channels]\n\t"                                                                                       \
        "mov %[left], #0\n\t"                                                                                          \
        "vdup.16 q0, %[left]\n\t"                                                                                      \
        "vdup.16 q1, %[left]\n\t"                                                                                      \
        "vdup.16 q2, %[left]\n\t"                                                                                      \
        "vdup.16 q3, %[left]\n\t"                                                                                      \
        "mov %[left], #128\n\t"                                                                                        \
        "mov %[offset], %[offsets]\n\t"                                                                                \
        "dls lr, %[taps]\n"                                                                                            \
        "2:\n\t"                                                                                                       \
        "ldr %[x_tap], [%[offset]], #4\n\t"                                                                            \
        "vldrb.8 q5, [%[w]], #16\n\t"                                                                                  \
        "add %[x_tap], %[x], %[x_tap]\n\t"                                                                             \
        "vpst\n\t"                                                                                                     \
        "vldrbt.8 q4, [%[x_tap]]\n\t"                                                                                  \
        "vmullb.s8 q6, q4, q5\n\t"                                                                                     \
        "vmullt.s8 q7, q4, q5\n\t"                                                                                     \
        "vadd.i16 q0, q0, q6\n\t"                                                                                      \
        "vqdmlah.s16 q2, q6, %[left]\n\t"                                                                              \
        "vadd.i16 q1, q1, q7\n\t"                                                                                      \
        "vqdmlah.s16 q3, q7, %[left]\n\t"                                                                              \
        "le lr, 2b\n\t"                                                                                                \
        "ldr %[x_tap], %[zero_point]\n\t"                                                                              \
        "mov %[left], #1\n\t"                                                                                          \
        DEPTHWISE_MVE_EIGHT("q0", "q2", requantize)                                                                    \
        DEPTHWISE_MVE_EIGHT("q1", "q3", requantize)                                                                    \
        "ldr %[x_tap], %[min]\n\t"                                                                                     \
        "ldr %[left], %[max]\n\t"                                                                                      \
        "vqmovnb.s16 q0, q0\n\t"                                                                                       \
        "vdup.8 q4, %[x_tap]\n\t"                                                                                      \
        "vqmovnt.s16 q0, q1\n\t"                                                                                       \
        "vdup.8 q5, %[left]\n\t"                                                                                       \
        "vmax.s8 q0, q0, q4\n\t"                                                                                       \
        "add %[x], %[x], #16\n\t"                                                                                      \
        "vmin.s8 q0, q0, q5\n\t"                                                                                       \
        "subs %[channels], %[channels], #16\n\t"                                                                       \
        "vpst\n\t"                                                                                                     \
        "vstrbt.8 q0, [%[output]], #16\n\t"                                                                            \
        "bgt 1b"                                                                                                       \
        : [w] "+r"(w), [x] "+r"(x), [scales] "+r"(scales), [offset] "=&r"(offset), [output] "+r"(output),               \
          [channels] "+r"(channels), [x_tap] "=&r"(x_tap), [left] "=&r"(left)                                          \
        : [offsets] "r"(offsets), [taps] "r"(taps), [zero_point] "m"(zero_point), [min] "m"(min), [max] "m"(max)       \
        : "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "cc", "memory")
/* clang-format on */

/* Offsets of the taps from `x`, to `outside` where they leave the image. */
static __attribute__((noinline)) void depthwise_mve_offsets(int32_t *offset, const struct pixel *at,
                                                            const struct conv_window *w, const int8_t *x,
                                                            const int8_t *outside) {
    int32_t y = at->y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        const int32_t row_inside = y >= 0 && y < w->input_height;
        int32_t left = at->x * w->stride_x - w->pad_left;
        for (int32_t kx = 0; kx < w->kernel_width; kx++, left += w->dilation_x) {
            const int32_t inside = row_inside && left >= 0 && left < w->input_width;
            const int8_t *tap = inside ? at->image + (y * w->input_width + left) * w->channels : outside;
            *offset++ = (int32_t)(tap - x);
        }
    }
}

typedef void depthwise_mve_multiplier(const int8_t *x, const int32_t *offsets, int8_t *output,
                                      const struct depthwise_mve_s8 *p);

KERNEL_INLINE void depthwise_mve(depthwise_mve_multiplier *multiply, const int8_t *input, int8_t *output,
                                 int8_t *scratch, const struct depthwise_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    int32_t *offsets = (int32_t *)(void *)scratch;
    int8_t *outside = scratch + 4 * p->taps;
    struct pixel at = {input, 0, 0};
    int32_t known = 0; /* whether `offsets` are those of the inside */
    mve_fill(outside, w->input_zero_point, w->channels);
    const int32_t y_end = w->input_height - (w->kernel_height - 1) * w->dilation_y;
    const int32_t x_end = w->input_width - (w->kernel_width - 1) * w->dilation_x;
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--) {
        const int32_t y0 = at.y * w->stride_y - w->pad_top, x0 = at.x * w->stride_x - w->pad_left;
        const int32_t inside = y0 >= 0 && y0 < y_end && x0 >= 0 && x0 < x_end;
        const int8_t *x = inside ? at.image + (y0 * w->input_width + x0) * w->channels : at.image;
        if (!inside || !known) {
            depthwise_mve_offsets(offsets, &at, w, x, outside);
        }
        known = inside;
        multiply(x, offsets, output, p);
        output += w->channels;
        next_pixel(&at, w);
    }
}

#endif
