/* SPDX-License-Identifier: Apache-2.0
 * The input under a convolution's kernel, as bytes one after the other.
 */
#ifndef TINYPROOF_KERNELS_GATHER_H
#define TINYPROOF_KERNELS_GATHER_H

#include "kernels/conv_pairs_parameters.h"
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

/* The input under the kernel at a pixel, row by row or by columns; what fills up words is left as it is. */
static __attribute__((noinline)) void gather_patch(int8_t *patch, const struct pixel *at,
                                                   const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t channels = w->channels, step = w->dilation_x * channels, width = w->kernel_width;
    const int32_t to_step = p->by_columns ? w->kernel_height * channels : channels;
    const int32_t to_row = p->by_columns ? channels : (width * channels + 3) & ~3;
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
    const int32_t run = w->dilation_x == 1 && !p->by_columns ? end - begin : 1;
    for (int32_t ky = 0; ky < w->kernel_height; ky++, y += w->dilation_y, patch += to_row) {
        const int32_t inside = (uint32_t)y < (uint32_t)w->input_height && begin < end;
        for (int32_t kx = 0; kx < width && (!inside || end - begin < width); kx++) {
            set_bytes(patch + kx * to_step, channels, w->input_zero_point);
        }
        for (int32_t kx = begin; inside && kx < end; kx += run) {
            copy_bytes(patch + kx * to_step, from + kx * step, run * channels);
        }
        from += w->dilation_y * w->input_width * channels;
    }
}

#endif
