/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D with int16 activations and int8 weights, four channels at a time, for cores with the DSP extension.
 * Bit-exact with kernels/. Taps are offsets from a pixel's channel 0, as in depthwise_quads_s8.h.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_S16_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_S16_H

#include "kernels/depthwise_quads_s16_parameters.h"
#include "kernels/rows_s16.h"

/* Four channels at one offset. */
#define DEPTHWISE_TAP_S16                                                                                              \
    "ldr r5, [%[offset]], #4\n\t"                                                                                      \
    "ldrd r6, r8, [%[quad]], #8\n\t"                                                                                   \
    "add r5, %[x], r5\n\t"                                                                                             \
    "ldrd r4, r5, [r5]\n\t"                                                                                            \
    "smlabb %[a0], r4, r6, %[a0]\n\t"                                                                                  \
    "smlatt %[a1], r4, r6, %[a1]\n\t"                                                                                  \
    "smlabb %[a2], r5, r8, %[a2]\n\t"                                                                                  \
    "smlatt %[a3], r5, r8, %[a3]\n\t"

/* One pixel: inputs at x + offset, in bytes, for the channels from x to x_end. */
static __attribute__((noinline)) void depthwise_multiply_s16(const int16_t *quad, const int16_t *x,
                                                             const int16_t *x_end, const int32_t *offsets,
                                                             const int32_t *offsets_end, int16_t *output,
                                                             int32_t rounding) {
    int32_t a0, a1, a2, a3;
    const int32_t *offset = offsets;
    __asm__ volatile(
        "1:\n\t"
        "ldrd %[a0], %[a1], [%[quad]], #8\n\t"
        "ldrd %[a2], %[a3], [%[quad]], #8\n"
        "2:\n\t" DEPTHWISE_TAP_S16 DEPTHWISE_TAP_S16 DEPTHWISE_TAP_S16 "cmp %[offset], %[end]\n\t"
        "bne 2b\n\t"
        "ldmia %[quad]!, {r4, r5, r6, r8}\n\t" ROWS_MULTIPLY("%[a0]", "r4") ROWS_MULTIPLY("%[a1]", "r5")
            ROWS_MULTIPLY("%[a2]", "r6") ROWS_MULTIPLY(
                "%[a3]", "r8") "ldmia %[quad]!, {r4, r5, r6, r8}\n\t"
                               "ldr %[offset], %[rounding]\n\t" REQUANTIZE_SHIFT("%[a0]", "r4")
                                   REQUANTIZE_SHIFT("%[a1]", "r5") REQUANTIZE_SHIFT("%[a2]", "r6")
                                       REQUANTIZE_SHIFT("%[a3]", "r8") REQUANTIZE_ROUND("%[a0]", "%[offset]")
                                           REQUANTIZE_ROUND("%[a1]", "%[offset]") REQUANTIZE_ROUND("%[a2]", "%[offset]")
                                               REQUANTIZE_ROUND("%[a3]", "%[offset]") ROWS_CLAMP("%[a0]")
                                                   ROWS_CLAMP("%[a1]") ROWS_CLAMP("%[a2]")
                                                       ROWS_CLAMP("%[a3]") "ldr r4, %[x_end]\n\t"
                                                                           "strh %[a0], [%[output]], #2\n\t"
                                                                           "strh %[a1], [%[output]], #2\n\t"
                                                                           "strh %[a2], [%[output]], #2\n\t"
                                                                           "strh %[a3], [%[output]], #2\n\t"
                                                                           "add %[x], %[x], #8\n\t"
                                                                           "cmp %[x], r4\n\t"
                                                                           "ldr %[offset], %[offsets]\n\t"
                                                                           "bne 1b"
        : [quad] "+r"(quad), [x] "+r"(x), [a0] "=&r"(a0), [a1] "=&r"(a1), [a2] "=&r"(a2), [a3] "=&r"(a3),
          [offset] "+r"(offset), [output] "+r"(output)
        : [end] "r"(offsets_end), [offsets] "m"(offsets), [x_end] "m"(x_end), [rounding] "m"(rounding)
        : "r4", "r5", "r6", "r8", "cc", "memory");
}

/* Offsets of the taps from `x` in bytes, to `outside` where they leave the image. */
KERNEL_INLINE void find_offsets_s16(int32_t *offset, const struct pixel_s16 *at, const struct conv_window *w,
                                    const int16_t *x, const int16_t *outside) {
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int16_t *tap = is_inside(at, w, ky, kx) ? at->image + tap_offset(at, w, ky, kx) : outside;
            *offset++ = (int32_t)((const int8_t *)tap - (const int8_t *)x);
        }
    }
}

KERNEL_SHARED void depthwise_quads_s16(const int16_t *input, int16_t *output, int8_t *scratch,
                                       const struct depthwise_quads_s16 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, taps = p->taps;
    int32_t *offsets = (int32_t *)(void *)scratch;
    int16_t *outside = (int16_t *)(void *)(scratch + 4 * taps);
    struct pixel_s16 at = {input, 0, 0};
    int32_t known = 0; /* whether `offsets` are those of the inside */
    for (int32_t c = 0; c < channels; c++) {
        outside[c] = 0;
    }
    for (int32_t tap = 0; tap < taps; tap++) {
        offsets[tap] = 0; /* what the rounding up adds has weights of 0 */
    }
    const int32_t y_end = w->input_height - (w->kernel_height - 1) * w->dilation_y;
    const int32_t x_end = w->input_width - (w->kernel_width - 1) * w->dilation_x;
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left--, output += channels) {
        const int32_t y0 = at.y * w->stride_y - w->pad_top, x0 = at.x * w->stride_x - w->pad_left;
        const int32_t inside = y0 >= 0 && y0 < y_end && x0 >= 0 && x0 < x_end;
        const int16_t *x = inside ? at.image + (y0 * w->input_width + x0) * channels : at.image;
        if (!inside || !known) {
            find_offsets_s16(offsets, &at, w, x, outside);
        }
        known = inside;
        depthwise_multiply_s16(p->quads, x, x + channels, offsets, offsets + taps, output, p->rounding);
        clamp_outputs_s16(output, channels, p->clamp_min, p->clamp_max);
        next_pixel_s16(&at, w);
    }
}

#endif
