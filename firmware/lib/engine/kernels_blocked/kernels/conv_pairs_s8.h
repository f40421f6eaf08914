/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D and FULLY_CONNECTED, int8, in blocks of output channels and two output pixels, for cores without a DSP
 * extension. Bit-exact with kernels/, see there.
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_S8_H
#define TINYPROOF_KERNELS_CONV_PAIRS_S8_H

#include "kernels/block_shape.h"
#include "kernels/clamp_bytes.h"
#include "kernels/conv_pairs_parameters.h"
#include "kernels/gather.h"
#include "kernels/pairs_blocks.h"
#include "kernels/rescale_units.h"

/* One row of weights is done: its sums of one pixel or two become outputs. */
KERNEL_INLINE void conv_outputs(int8_t *output, int32_t units, int32_t columns, int32_t sum0, int32_t sum1,
                                int32_t multiplier, int32_t scaling, int32_t rounding) {
    store_s8(output, rescale_unit(sum0, multiplier, scaling, rounding));
    if (columns > 1) {
        store_s8(output + units, rescale_unit(sum1, multiplier, scaling, rounding));
    }
}

KERNEL_INLINE void conv_outputs_once(int8_t *output, int32_t units, int32_t columns, int32_t sum0, int32_t sum1,
                                     int32_t multiplier, int32_t offset) {
    store_s8(output, rescale_once(sum0, multiplier, offset));
    if (columns > 1) {
        store_s8(output + units, rescale_once(sum1, multiplier, offset));
    }
}

/* The same of a pair, `left` units from its first one on. */
KERNEL_INLINE void conv_pair(int8_t *output, int32_t units, int32_t left, int32_t columns, const struct block_sums *sum,
                             const int32_t *s, int32_t rounding) {
    const int32_t a0 = sum->a0 + s[0], a1 = sum->a1 + s[0];
    if (rounds_once(s[2])) {
        conv_outputs_once(output, units, columns, a0, a1, s[2], s[4]);
        if (left > 1) {
            const int32_t bias = pair_bias_b(s);
            conv_outputs_once(output + 1, units, columns, sum->b0 + bias, sum->b1 + bias, s[3], pair_scaling_b(s));
        }
        return;
    }
    conv_outputs(output, units, columns, a0, a1, s[2], s[4], rounding);
    if (left > 1) {
        conv_outputs(output + 1, units, columns, sum->b0 + s[1], sum->b1 + s[1], s[3], s[5], rounding);
    }
}

/* Whether the next `pairs` pairs, 1, 2 or 4, are all of numbers. */
KERNEL_INLINE int32_t all_numbers(const int32_t *scales, int32_t pairs) {
    int32_t flags = pair_flags(scales);
    if (pairs > 1) {
        flags |= pair_flags(scales + PAIR_SCALES);
    }
    if (pairs > 2) {
        flags |= pair_flags(scales + 2 * PAIR_SCALES) | pair_flags(scales + 3 * PAIR_SCALES);
    }
    return !(flags & PAIR_BYTES);
}

/* All output channels of one pixel or two, whose inputs are the columns; `most` pairs at a time, 1, 2 or 4. */
KERNEL_INLINE void conv_units(int8_t *output, const int8_t *x0, const int8_t *x1, int32_t columns, int32_t most,
                              const struct conv_pairs_s8 *p) {
    const int32_t depth = p->depth, units = p->units, rounding = p->rounding;
    const int8_t *weights = p->weights;
    const int32_t *scales = p->scales;
    int32_t left = units;
    while (left > 0) {
        struct block_sums sums[4];
        int32_t pairs = 1;
        if (left >= 2 * most - 1 && all_numbers(scales, most)) {
            pairs = most;
            block_multiply(sums, most, 1, weights, x0, x1, depth, columns);
        } else if (most == 1 || (pair_flags(scales) & PAIR_BYTES)) {
            block_multiply(sums, 1, 0, weights, x0, x1, depth, columns);
        } else {
            block_multiply(sums, 1, 1, weights, x0, x1, depth, columns);
        }
        weights += 2 * pairs * depth;
        const struct block_sums *sum = sums;
        for (; pairs > 0; pairs--, sum++, scales += PAIR_SCALES, left -= 2, output += 2) {
            conv_pair(output, units, left, columns, sum, scales, rounding);
        }
    }
}

static __attribute__((noinline)) void conv_one(int8_t *output, const int8_t *x, const struct conv_pairs_s8 *p) {
    conv_units(output, x, x, 1, BLOCK_PAIRS_OF_ONE, p);
}

static __attribute__((noinline)) void conv_two(int8_t *output, const int8_t *x0, const int8_t *x1,
                                               const struct conv_pairs_s8 *p) {
    if (BLOCK_PAIRS_OF_TWO) {
        conv_units(output, x0, x1, 2, BLOCK_PAIRS_OF_TWO, p);
        return;
    }
    conv_one(output, x0, p);
    conv_one(output + p->units, x1, p);
}

/* How a pixel's inputs come to lie one after the other in whole words. */
enum conv_inputs { CONV_GATHERED, CONV_COPIED, CONV_DIRECT };

KERNEL_INLINE void conv_gather(int8_t *patch, const struct pixel *at, const struct conv_pairs_s8 *p) {
#ifdef CONV_BY_COLUMNS
    if (p->by_columns) {
        gather_columns(patch, at, &p->window);
        return;
    }
#endif
    gather_patch(patch, at, &p->window);
}

/* Where they do: in the image, or in `patch`. Goes on to the next pixel. */
KERNEL_INLINE const int8_t *conv_next(struct pixel *at, int8_t *patch, enum conv_inputs inputs,
                                      const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int8_t *x = patch;
    if (inputs == CONV_GATHERED) {
        conv_gather(patch, at, p);
    } else {
        x = at->image + at->x * w->channels;
        if (inputs == CONV_COPIED) {
            copy_bytes(patch, x, w->channels);
            x = patch;
        }
    }
    next_pixel(at, w);
    return x;
}

KERNEL_SHARED void conv_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch, const struct conv_pairs_s8 *p) {
    const struct conv_window *w = &p->window;
    const int32_t pixels = w->batches * w->output_height * w->output_width, depth = p->depth;
    struct pixel at = {input, 0, 0};
    const int32_t direct = is_pointwise(w) && w->channels == depth;
    enum conv_inputs inputs = CONV_GATHERED;
    if (!direct) {
        set_bytes(scratch, (pixels > 1 ? 2 : 1) * depth, 0); /* what fills up a row */
    }
    for (int32_t left = pixels; left > 0; left -= 2, output += 2 * p->units) {
        if (direct) { /* read anew for each block of outputs, which may lie over them */
            const int8_t *x = input + (pixels - left) * depth;
            inputs = overlap(x, 2 * depth, output, 2 * p->units) ? CONV_COPIED : CONV_DIRECT;
        }
        const int8_t *x0 = conv_next(&at, scratch, inputs, p);
        if (left == 1) {
            conv_one(output, x0, p);
            break;
        }
        conv_two(output, x0, conv_next(&at, scratch + depth, inputs, p), p);
    }
    output -= pixels / 2 * 2 * p->units;
    clamp_bytes(output, pixels * p->units, p->clamp_min, p->clamp_max);
}

#endif
