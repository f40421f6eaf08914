/* SPDX-License-Identifier: Apache-2.0
 * The inner loops of conv_planes_s8; kernels_dsp/ has the same for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_PLANES_MULTIPLY_H
#define TINYPROOF_KERNELS_PLANES_MULTIPLY_H

#include "kernels/planes_outputs.h"
#include "kernels/rescale_units.h"
#include "kernels/words.h"

/* A kernel. `gap`, `steps`: from a row of a plane under it to the next are gap + 4 (steps - 1) bytes. */
struct planes_shape {
    int32_t height;
    int32_t width;
    int32_t steps;
    int32_t gap;
};

/* `rows` rows of `count` bytes, `step` bytes apart, to int16; `pitch` of these are a row. */
KERNEL_INLINE void planes_widen(int16_t *to, int32_t pitch, const int8_t *from, int32_t step, int32_t step_y,
                                int32_t count, int32_t rows) {
    for (; rows > 0; rows--, to += pitch, from += step_y) {
        const int8_t *x = from;
        int32_t i = 0;
        for (; i < (count & ~7); i += 8) {
#pragma GCC unroll 8
            for (int32_t place = i; place < i + 8; place++, x += step) {
                to[place] = *x;
            }
        }
        for (; i < count; i++, x += step) {
            to[i] = *x;
        }
    }
}

/* A channel's weights as `planes_multiply` takes them. */
KERNEL_INLINE void planes_spread(word *step, const int8_t *weights, const struct planes_shape *shape) {
    for (int32_t left = shape->height * shape->width; left > 0; left--) {
        *step++ = (word)*weights++;
    }
}

/* A row of the kernel, times four outputs. */
KERNEL_INLINE void planes_row(int32_t sums[4], const int32_t *w, const int16_t *x, int32_t stride, int32_t width) {
#pragma GCC unroll 3
    for (int32_t kx = 0; kx < width; kx++) {
        const int32_t weight = w[kx];
        sums[0] += weight * x[kx];
        sums[1] += weight * x[kx + stride];
        sums[2] += weight * x[kx + 2 * stride];
        sums[3] += weight * x[kx + 3 * stride];
    }
}

/* All taps of four outputs. */
KERNEL_INLINE void planes_taps(int32_t s[4], const int16_t *x, int32_t stride, const int32_t *weights,
                               const struct planes_shape *shape) {
    const int32_t height = shape->height, width = shape->width, row = (shape->gap + 4 * (shape->steps - 1)) / 2;
    const int32_t *end = weights + height * width;
    if (width == 3) {
        for (const int32_t *w = weights; w != end; w += 3, x += row) {
            planes_row(s, w, x, stride, 3);
        }
        return;
    }
    for (const int32_t *w = weights; w != end; w += width, x += row) {
        for (int32_t kx = 0; kx < width; kx++) {
            planes_row(s, w + kx, x + kx, stride, 1);
        }
    }
}

KERNEL_INLINE void planes_fours(int32_t *sums, int32_t fours, const int16_t *plane, int32_t stride, const word *steps,
                                const struct planes_shape *shape) {
    const int32_t *weights = (const int32_t *)(const void *)steps;
    for (; fours > 0; fours--, sums += 4, plane += 4 * stride) {
        int32_t s[4] = {sums[0], sums[1], sums[2], sums[3]};
        planes_taps(s, plane, stride, weights, shape);
        sums[0] = s[0];
        sums[1] = s[1];
        sums[2] = s[2];
        sums[3] = s[3];
    }
}

/* Adds a channel's share to `fours` times four sums. The first output's first tap is at `plane`. */
static __attribute__((noinline)) void planes_multiply(int32_t *sums, int32_t fours, const int16_t *plane,
                                                      int32_t stride, const word *steps,
                                                      const struct planes_shape *shape) {
    if (stride == 1) {
        planes_fours(sums, fours, plane, 1, steps, shape);
    } else if (stride == 2) {
        planes_fours(sums, fours, plane, 2, steps, shape);
    } else {
        planes_fours(sums, fours, plane, stride, steps, shape);
    }
}

KERNEL_INLINE void planes_store(int8_t *output, int32_t sum, int32_t multiplier, int32_t scaling, int32_t rounding) {
    if (rounds_once(multiplier)) {
        store_s8(output, rescale_once(sum, multiplier, scaling));
    } else {
        store_s8(output, rescale_unit(sum, multiplier, scaling, rounding));
    }
}

KERNEL_INLINE void planes_rows_of(int8_t *output, const int16_t *plane, int32_t stride, const word *steps,
                                  const struct planes_shape *shape, const struct planes_outputs *outputs,
                                  const int32_t *scales, int32_t rounding) {
    const int32_t bias = scales[0], multiplier = scales[1], scaling = scales[2], step = outputs->step;
    const int32_t *weights = (const int32_t *)(const void *)steps;
    for (int32_t rows = outputs->rows; rows > 0; rows--, output += outputs->step_y, plane += outputs->row / 2) {
        const int16_t *x = plane;
        int8_t *to = output;
        for (int32_t left = outputs->count; left > 0; left -= 4, to += 4 * step) {
            int32_t s[4] = {bias, bias, bias, bias};
            if (stride == 0) {
                const int32_t *sums = (const int32_t *)(const void *)x;
                s[0] = sums[0];
                s[1] = sums[1];
                s[2] = sums[2];
                s[3] = sums[3];
                x += 8;
            } else {
                planes_taps(s, x, stride, weights, shape);
                x += 4 * stride;
            }
            planes_store(to, s[0], multiplier, scaling, rounding);
            if (left > 1) {
                planes_store(to + step, s[1], multiplier, scaling, rounding);
            }
            if (left > 2) {
                planes_store(to + 2 * step, s[2], multiplier, scaling, rounding);
            }
            if (left > 3) {
                planes_store(to + 3 * step, s[3], multiplier, scaling, rounding);
            }
        }
    }
}

/* Outputs of a unit in a strip, four of a row at a time; the first one's first tap is at `plane`. With a stride of 0
 * their sums are there instead. The last four of a row may be fewer: then the others are made, and not written. */
static __attribute__((noinline)) void planes_rows(int8_t *output, const int16_t *plane, const word *steps,
                                                  const struct planes_shape *shape,
                                                  const struct planes_outputs *outputs, const int32_t *scales,
                                                  int32_t rounding) {
    if (outputs->stride == 1) {
        planes_rows_of(output, plane, 1, steps, shape, outputs, scales, rounding);
    } else if (outputs->stride == 2) {
        planes_rows_of(output, plane, 2, steps, shape, outputs, scales, rounding);
    } else if (outputs->stride == 0) {
        planes_rows_of(output, plane, 0, steps, shape, outputs, scales, rounding);
    } else {
        planes_rows_of(output, plane, outputs->stride, steps, shape, outputs, scales, rounding);
    }
}

#endif
