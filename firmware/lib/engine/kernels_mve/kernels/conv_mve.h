/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D, int8, four output channels and two output pixels at a time, for cores with MVE. Bit-exact with conv_s8.h.
 *
 * 128 multiply-accumulates, 16 inputs each of two pixels times four rows, are 16 instructions.
 */
#ifndef TINYPROOF_KERNELS_CONV_MVE_H
#define TINYPROOF_KERNELS_CONV_MVE_H

#include "kernels/mve.h"

struct conv_mve_s8 {
    struct conv_window window;
    int32_t units;  /* output channels; the tables have rows of zeros up to a multiple of 4 */
    int32_t blocks; /* of 16 inputs under the kernel; what fills up the last one has weights of 0 */
    int32_t direct; /* 1: a pixel's input is one tap of whole blocks, and always inside of the image */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    const int8_t *fours; /* see mve.h; the bias has the input's zero point in it */
};

/* A row of weights times both pixels. */
#define CONV_MVE_ROW(first, second)                                                                                    \
    "vldrb.8 q2, [%[w]], #16\n\t"                                                                                      \
    "vmladava.s8 " first ", q2, q0\n\t"                                                                                \
    "vmladava.s8 " second ", q2, q1\n\t"

/* clang-format off */
#define CONV_MVE_RIGHT                                                                                                 \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    "mov r0, #1\n\t"                                                                                                   \
    MVE_MULTIPLY("q0", "q2") MVE_MULTIPLY("q1", "q2")                                                                  \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_AWAY_FROM_ZERO("q0", "r0") MVE_AWAY_FROM_ZERO("q1", "r0")                                                      \
    MVE_SHIFT("q0", "q2") MVE_SHIFT("q1", "q2")
#define CONV_MVE_LEFT                                                                                                  \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_SHIFT_LEFT("q0", "q2") MVE_SHIFT_LEFT("q1", "q2")                                                              \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_MULTIPLY("q0", "q2") MVE_MULTIPLY("q1", "q2")                                                                  \
    "vldrw.32 q2, [%[w]], #16\n\t"                                                                                \
    MVE_AWAY_IF_SHIFTED("q0", "q2", "q3") MVE_AWAY_IF_SHIFTED("q1", "q2", "q3")                                        \
    MVE_SHIFT("q0", "q2") MVE_SHIFT("q1", "q2")

/* All units of two pixels, whose inputs lie at `x0` and `x1`. The first one's outputs go to `output`, the second's
 * `distance` bytes further; distance 0 keeps the first's, if both are the same pixel. VMLADAVA takes even registers.
 */
#define CONV_MVE_MULTIPLY(requantize)                                                                                  \
    const int8_t *w = p->fours, *first = x0, *second = x1;                                                           \
    int32_t units = p->units;                                                                                          \
    const int32_t blocks = p->blocks, zero_point = p->zero_point, min = p->clamp_min, max = p->clamp_max;              \
    int32_t left;                                                                                                      \
    __asm__ volatile(                                                                                                  \
        "ldr r0, %[min]\n\t"                                                                                           \
        "ldr r2, %[max]\n\t"                                                                                           \
        "vdup.32 q6, r0\n\t"                                                                                           \
        "vdup.32 q7, r2\n"                                                                                             \
        "1:\n\t"                                                                                                       \
        "ldmia %[w]!, {r0, r2, r4, r6}\n\t"                                                                       \
        "ldr %[left], %[blocks]\n\t"                                                                                   \
        "mov r8, r0\n\t"                                                                                               \
        "mov r10, r2\n\t"                                                                                              \
        "mov r12, r4\n\t"                                                                                              \
        "mov lr, r6\n"                                                                                                 \
        "2:\n\t"                                                                                                       \
        "vldrb.8 q0, [%[x0]], #16\n\t"                                                                                 \
        "vldrb.8 q1, [%[x1]], #16\n\t"                                                                                 \
        CONV_MVE_ROW("r0", "r8") CONV_MVE_ROW("r2", "r10") CONV_MVE_ROW("r4", "r12") CONV_MVE_ROW("r6", "lr")          \
        "subs %[left], %[left], #1\n\t"                                                                                \
        "bne 2b\n\t"                                                                                                   \
        "vmov q0[2], q0[0], r0, r4\n\t"                                                                                \
        "vmov q0[3], q0[1], r2, r6\n\t"                                                                                \
        "vmov q1[2], q1[0], r8, r12\n\t"                                                                               \
        "vmov q1[3], q1[1], r10, lr\n\t"                                                                               \
        requantize                                                                                                     \
        "ldr r0, %[zero_point]\n\t"                                                                                    \
        "ldr r2, %[units]\n\t"                                                                                         \
        "ldr r4, %[distance]\n\t"                                                                                      \
        "vadd.i32 q0, q0, r0\n\t"                                                                                      \
        "vadd.i32 q1, q1, r0\n\t"                                                                                      \
        "add r4, r4, %[output]\n\t"                                                                                    \
        "vmax.s32 q0, q0, q6\n\t"                                                                                      \
        "vmax.s32 q1, q1, q6\n\t"                                                                                      \
        "vctp.32 r2\n\t"                                                                                               \
        "vmin.s32 q0, q0, q7\n\t"                                                                                      \
        "vmin.s32 q1, q1, q7\n\t"                                                                                      \
        "ldr %[x0], %[first]\n\t"                                                                                      \
        "ldr %[x1], %[second]\n\t"                                                                                     \
        "vpstt\n\t"                                                                                                    \
        "vstrbt.32 q1, [r4]\n\t"                                                                                       \
        "vstrbt.32 q0, [%[output]], #4\n\t"                                                                            \
        "subs r2, r2, #4\n\t"                                                                                          \
        "str r2, %[units]\n\t"                                                                                         \
        "bgt 1b"                                                                                                       \
        : [w] "+r"(w), [x0] "+r"(x0), [x1] "+r"(x1), [output] "+l"(output),                     \
          [left] "=&r"(left), [units] "+m"(units)                                                                      \
        : [first] "m"(first), [second] "m"(second), [blocks] "m"(blocks), [zero_point] "m"(zero_point),                \
          [min] "m"(min), [max] "m"(max), [distance] "m"(distance)                                                     \
        : "r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr", "q0", "q1", "q2", "q3", "q6", "q7", "cc", "memory")
/* clang-format on */

/* Rows of the input under the kernel, one after the other, and zero points outside of the image. */
KERNEL_INLINE void conv_mve_patch(int8_t *to, const struct pixel *at, const struct conv_window *w) {
    const int32_t left = at->x * w->stride_x - w->pad_left, channels = w->channels, zero = w->input_zero_point;
    const int32_t inside = w->dilation_x == 1 && left >= 0 && left + w->kernel_width <= w->input_width;
    int32_t y = at->y * w->stride_y - w->pad_top;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y) {
        if (y < 0 || y >= w->input_height) {
            to = mve_fill(to, zero, w->kernel_width * channels);
            continue;
        }
        const int8_t *row = at->image + y * w->input_width * channels;
        if (inside) {
            to = mve_copy(to, row + left * channels, w->kernel_width * channels);
            continue;
        }
        for (int32_t kx = 0, x = left; kx < w->kernel_width; kx++, x += w->dilation_x) {
            if (x < 0 || x >= w->input_width) {
                to = mve_fill(to, zero, channels);
            } else {
                to = mve_copy(to, row + x * channels, channels);
            }
        }
    }
}

/* A pixel's input: where it lies, or a copy of it in `patch`. */
static __attribute__((noinline)) const int8_t *conv_mve_input(int8_t *patch, const struct pixel *at,
                                                              const struct conv_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    if (p->direct) {
        return at->image + (at->y * w->stride_y * w->input_width + at->x * w->stride_x) * w->channels;
    }
    conv_mve_patch(patch, at, w);
    return patch;
}

typedef void conv_mve_multiplier(const int8_t *x0, const int8_t *x1, int8_t *output, int32_t distance,
                                 const struct conv_mve_s8 *p);

/* Scratch: two patches of 16 * blocks bytes, unless the layer is direct. */
KERNEL_INLINE void conv_mve(conv_mve_multiplier *multiply, const int8_t *input, int8_t *output, int8_t *scratch,
                            const struct conv_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    struct pixel at = {input, 0, 0};
    for (int32_t left = w->batches * w->output_height * w->output_width; left > 0; left -= 2) {
        const int8_t *x0 = conv_mve_input(scratch, &at, p), *x1 = x0;
        next_pixel(&at, w);
        if (left > 1) {
            x1 = conv_mve_input(scratch + MVE_BYTES * p->blocks, &at, p);
            next_pixel(&at, w);
        }
        multiply(x0, x1, output, left > 1 ? p->units : 0, p);
        output += 2 * p->units;
    }
}

#endif
