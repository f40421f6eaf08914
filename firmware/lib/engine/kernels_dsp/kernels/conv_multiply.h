/* SPDX-License-Identifier: Apache-2.0
 * Columns of one, three or four pixels times all pairs of output channels, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_CONV_MULTIPLY_H
#define TINYPROOF_KERNELS_CONV_MULTIPLY_H

#include "kernels/conv_pairs_parameters.h"
#include "kernels/pairs_multiply.h"
#include "kernels/pairs_once.h"
#include "kernels/pairs_quads.h"

/* How many pairs from `first` on are rescaled alike. */
static __attribute__((noinline, cold)) int32_t conv_run(const struct conv_pairs_s8 *p, int32_t first) {
    const int32_t *scales = p->scales + first * PAIR_SCALES;
    const int32_t once = rounds_once(scales[2]);
    int32_t run = 1;
    for (; run < p->units / 2 - first && rounds_once(scales[run * PAIR_SCALES + 2]) == once; run++) {
    }
    return run;
}

KERNEL_INLINE struct pairs_walk conv_walk(const struct conv_pairs_s8 *p, int32_t first, int32_t pairs) {
    const int32_t *scales = p->scales + first * PAIR_SCALES;
    return (struct pairs_walk){p->weights + first * 2 * p->depth, scales, scales + pairs * PAIR_SCALES, p->rounding};
}

/* Outputs of `pairs` pairs, rescaled alike, of `count` pixels, 3 or 4, with interleaved columns; those of column k lie
 * k * `step` bytes behind the first one's. */
KERNEL_INLINE void conv_multiply_run(int8_t *output, int32_t step, int32_t first, int32_t pairs, int32_t count,
                                     const word *columns, const struct conv_pairs_s8 *p) {
    const struct pairs_walk walk = conv_walk(p, first, pairs);
    const word *end = columns + 2 * p->depth;
    if (rounds_once(walk.scales[2])) {
        pairs_once_times_four(&walk, columns, end, output, step, (count - 1) * step);
    } else {
        pairs_times_four(&walk, columns, end, output, step, (count - 1) * step);
    }
}

/* Outputs of one pixel. */
static __attribute__((noinline, cold)) void conv_multiply_one(int8_t *output, const word *column,
                                                              const struct conv_pairs_s8 *p) {
    const word *end = column + p->depth / 2;
    const int32_t units = p->units, pairs = units / 2, quads = p->depth % 8 == 0 ? p->numbers & ~1 : 0;
    if (quads) {
        const struct pairs_walk walk = conv_walk(p, 0, quads);
        pairs_quads_times_one(&walk, column, end, output);
    }
    if (pairs > quads) { /* in one call: of short rows it would cost more than they do */
        const struct pairs_walk walk = conv_walk(p, quads, pairs - quads);
        pairs_times_one(&walk, column, end, output + 2 * quads);
    }
    if (units % 2 != 0) {
        const struct pairs_walk walk = conv_walk(p, pairs, 1);
        int8_t last[2];
        pairs_times_one(&walk, column, end, last);
        output[units - 1] = last[0];
    }
}

/* Outputs of a group: `count` pixels, 3 or 4 of them with interleaved columns, or 1. `run`: of the first pair. */
static __attribute__((noinline, hot)) void conv_multiply(int8_t *output, int32_t count, const word *columns,
                                                         int32_t run, const struct conv_pairs_s8 *p) {
    const int32_t units = p->units, pairs = units / 2;
    int8_t last[8];
    if (count == 1) {
        conv_multiply_one(output, columns, p);
        return;
    }
    for (int32_t first = 0; first < pairs;) {
        conv_multiply_run(output + 2 * first, units, first, run, count, columns, p);
        first += run;
        run = first < pairs ? conv_run(p, first) : 0;
    }
    if (units % 2 != 0) {
        conv_multiply_run(last, 2, pairs, 1, count, columns, p);
        for (int32_t i = 0; i < count; i++) {
            output[i * units + units - 1] = last[2 * i];
        }
    }
}

/* Of so many pixels that are left, how many are taken together. */
KERNEL_INLINE int32_t conv_group(int32_t left) {
    if (left > 3) {
        return 4;
    }
    return left == 3 ? 3 : 1;
}

#endif
