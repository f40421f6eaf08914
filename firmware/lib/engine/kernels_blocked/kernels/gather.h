/* SPDX-License-Identifier: Apache-2.0
 * The input under a convolution's kernel, as bytes one after the other.
 */
#ifndef TINYPROOF_KERNELS_GATHER_H
#define TINYPROOF_KERNELS_GATHER_H

#include "kernels/convolution.h"
#include "kernels/words.h"

/* Cores that these kernels are for load words from multiples of 4 only. */
KERNEL_INLINE void copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
    if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0) {
        for (; count >= 4; count -= 4, to += 4, from += 4) {
            *(word *)(void *)to = *(const word *)(const void *)from;
        }
    }
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        const int8_t x0 = from[0], x1 = from[1], x2 = from[2], x3 = from[3];
        to[0] = x0;
        to[1] = x1;
        to[2] = x2;
        to[3] = x3;
    }
    for (; count > 0; count--) {
        *to++ = *from++;
    }
}

KERNEL_INLINE void set_bytes(int8_t *to, int32_t count, int32_t value) {
    for (; count > 0; count--) {
        *to++ = (int8_t)value;
    }
}

/* The input under the kernel at a pixel. Each row of the kernel is filled up to whole words; the filling is left as it
 * is. */
static __attribute__((noinline)) void gather_patch(int8_t *patch, const struct pixel *at, const struct conv_window *w) {
    const int32_t channels = w->channels, step = w->dilation_x * channels, width = w->kernel_width;
    const int32_t bytes = width * channels, filled = (bytes + 3) & ~3;
    int32_t y = at->y * w->stride_y - w->pad_top, x = at->x * w->stride_x - w->pad_left;
    const int8_t *from = at->image + (y * w->input_width + x) * channels;
    int32_t begin = 0, end = width;
    while (x < 0 && begin < end) {
        begin++;
        x += w->dilation_x;
    }
    for (x += (end - begin - 1) * w->dilation_x; x >= w->input_width && begin < end; x -= w->dilation_x) {
        end--;
    }
    const int32_t run = w->dilation_x == 1 ? end - begin : 1;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y, patch += filled) {
        const int32_t inside = (uint32_t)y < (uint32_t)w->input_height && begin < end;
        if (!inside || end - begin < width) {
            set_bytes(patch, bytes, w->input_zero_point);
        }
        for (int32_t kx = begin; inside && kx < end; kx += run) {
            copy_bytes(patch + kx * channels, from + kx * step, run * channels);
        }
        from += w->dilation_y * w->input_width * channels;
    }
}

#ifdef CONV_BY_COLUMNS
/* The same by the columns of the kernel: [kernel_width][kernel_height][channels]. */
static __attribute__((noinline)) void gather_columns(int8_t *patch, const struct pixel *at,
                                                     const struct conv_window *w) {
    const int32_t channels = w->channels, step = w->dilation_x * channels, to_step = w->kernel_height * channels;
    const int32_t left = at->x * w->stride_x - w->pad_left, zero_point = w->input_zero_point;
    int32_t y = at->y * w->stride_y - w->pad_top;
    const int8_t *row = at->image + (y * w->input_width + left) * channels;
    for (int32_t ky = w->kernel_height; ky > 0; ky--, y += w->dilation_y, patch += channels) {
        const uint32_t inside = (uint32_t)y < (uint32_t)w->input_height ? (uint32_t)w->input_width : 0;
        int8_t *to = patch;
        const int8_t *from = row;
        for (int32_t kx = w->kernel_width, x = left; kx > 0; kx--, x += w->dilation_x, from += step, to += to_step) {
            if ((uint32_t)x >= inside) {
                set_bytes(to, channels, zero_point);
            } else if (channels == 3) { /* colours */
                const int8_t x0 = from[0], x1 = from[1], x2 = from[2];
                to[0] = x0;
                to[1] = x1;
                to[2] = x2;
            } else {
                copy_bytes(to, from, channels);
            }
        }
        row += w->dilation_y * w->input_width * channels;
    }
}
#endif

#endif
