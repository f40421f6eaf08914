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
    int32_t direct; /* 1: a kernel of one tap, whose input may be read where it lies */
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

/* An output pixel, and what is known of its row. */
struct conv_mve_walk {
    const struct conv_mve_s8 *layer;
    const int8_t *output; /* of two pixels, which may lie over their inputs */
    const int8_t *image;
    const int8_t *end; /* of the input */
    const int8_t *row; /* where the kernel begins, at column 0; only if all of its rows are inside */
    int32_t y;
    int32_t x;
    int32_t x0;     /* the column where the kernel begins */
    int32_t x_last; /* the last such one with all of the kernel inside; negative where there is none */
};

static __attribute__((noinline)) void conv_mve_begin_row(struct conv_mve_walk *at) {
    const struct conv_window *w = &at->layer->window;
    const int32_t y0 = at->y * w->stride_y - w->pad_top;
    const int32_t inside = y0 >= 0 && y0 + (w->kernel_height - 1) * w->dilation_y < w->input_height;
    at->row = inside ? at->image + y0 * w->input_width * w->channels : at->image;
    at->x = 0;
    at->x0 = -w->pad_left;
    at->x_last = inside && w->dilation_x == 1 ? w->input_width - w->kernel_width : -1;
}

KERNEL_INLINE void conv_mve_next(struct conv_mve_walk *at) {
    const struct conv_window *w = &at->layer->window;
    at->x0 += w->stride_x;
    if (++at->x < w->output_width) {
        return;
    }
    if (++at->y == w->output_height) {
        at->y = 0;
        at->image += w->input_height * w->input_width * w->channels;
    }
    conv_mve_begin_row(at);
}

/* The part of the kernel's `extent` positions along a dimension that lies inside of the image: from, up to. */
struct conv_mve_span {
    int32_t from;
    int32_t to;
};

KERNEL_INLINE struct conv_mve_span conv_mve_inside(int32_t start, int32_t extent, int32_t dilation, int32_t size) {
    struct conv_mve_span span = {0, extent};
    for (int32_t place = start; place < 0 && span.from < extent; place += dilation) {
        span.from++;
    }
    for (int32_t place = start + (extent - 1) * dilation; place >= size && span.to > span.from; place -= dilation) {
        span.to--;
    }
    return span;
}

/* The input under the kernel as [kernel_height][kernel_width][channels] bytes, zero points outside of the image. */
static __attribute__((noinline)) void conv_mve_border(int8_t *patch, const struct conv_mve_walk *at) {
    const struct conv_window *w = &at->layer->window;
    const int32_t channels = w->channels, row_bytes = w->kernel_width * channels, x0 = at->x0;
    const int32_t y0 = at->y * w->stride_y - w->pad_top;
    const struct conv_mve_span y = conv_mve_inside(y0, w->kernel_height, w->dilation_y, w->input_height);
    const struct conv_mve_span x = conv_mve_inside(x0, w->kernel_width, w->dilation_x, w->input_width);
    const int32_t rows = y.to - y.from, columns = x.to - x.from;
    mve_fill(patch, w->input_zero_point, w->kernel_height * row_bytes);
    if (rows == 0 || columns == 0) {
        return;
    }
    /* With a dilation along x the columns lie apart. */
    const int32_t apart = w->dilation_x > 1, bytes = apart ? channels : columns * channels;
    const int32_t line = w->input_width * channels;
    const int8_t *from = at->image + (y0 + y.from * w->dilation_y) * line + (x0 + x.from * w->dilation_x) * channels;
    int8_t *to = patch + y.from * row_bytes + x.from * channels;
    for (int32_t left = apart ? columns : 1; left > 0; left--) {
        mve_copy_rows(to, row_bytes, from, w->dilation_y * line, bytes, rows);
        from += w->dilation_x * channels;
        to += channels;
    }
}

/* A single tap is copied only where outputs may lie over it, or reading whole blocks would pass the input's end. */
KERNEL_INLINE int32_t conv_mve_stays(const int8_t *x, const struct conv_mve_walk *at) {
    const struct conv_mve_s8 *p = at->layer;
    return at->end - x >= MVE_BYTES * p->blocks && !overlap(x, p->window.channels, at->output, 2 * p->units);
}

/* Where a pixel's input lies, or a copy of it in `patch`. Goes on to the next pixel. */
static __attribute__((noinline)) const int8_t *conv_mve_input(int8_t *patch, struct conv_mve_walk *at) {
    const struct conv_window *w = &at->layer->window;
    const int8_t *found = patch;
    if (at->x0 >= 0 && at->x0 <= at->x_last) {
        const int8_t *x = at->row + at->x0 * w->channels;
        if (at->layer->direct && conv_mve_stays(x, at)) {
            found = x;
        } else {
            const int32_t bytes = w->kernel_width * w->channels;
            mve_copy_rows(patch, bytes, x, w->dilation_y * w->input_width * w->channels, bytes, w->kernel_height);
        }
    } else {
        conv_mve_border(patch, at);
    }
    conv_mve_next(at);
    return found;
}

/* The same where pixels are taken one after the other. */
KERNEL_INLINE const int8_t *conv_mve_pixel(int8_t *patch, struct conv_mve_walk *at) {
    const int8_t *x = at->image;
    at->image += at->layer->window.channels;
    if (!conv_mve_stays(x, at)) {
        mve_copy(patch, x, at->layer->window.channels);
        return patch;
    }
    return x;
}

typedef void conv_mve_multiplier(const int8_t *x0, const int8_t *x1, int8_t *output, int32_t distance,
                                 const struct conv_mve_s8 *p);

/* Scratch: two patches of 16 * blocks bytes. */
KERNEL_INLINE void conv_mve(conv_mve_multiplier *multiply, const int8_t *input, int8_t *output, int8_t *scratch,
                            const struct conv_mve_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t images = w->batches * w->input_height * w->input_width * w->channels;
    const int32_t pixels = w->batches * w->output_height * w->output_width;
    int8_t *const second = scratch + MVE_BYTES * p->blocks;
    struct conv_mve_walk at = {p, output, input, input + images, input, 0, 0, 0, 0};
    const int8_t *x0, *x1;
    int32_t left = pixels;
    if (is_pointwise(w)) {
        for (; left > 0; left -= 2, output += 2 * p->units) {
            at.output = output;
            x0 = conv_mve_pixel(scratch, &at);
            x1 = left > 1 ? conv_mve_pixel(second, &at) : x0;
            multiply(x0, x1, output, left > 1 ? p->units : 0, p);
        }
        return;
    }
    conv_mve_begin_row(&at);
    for (; left > 0; left -= 2, output += 2 * p->units) {
        at.output = output;
        x0 = conv_mve_input(scratch, &at);
        x1 = left > 1 ? conv_mve_input(second, &at) : x0;
        multiply(x0, x1, output, left > 1 ? p->units : 0, p);
    }
}

#endif
