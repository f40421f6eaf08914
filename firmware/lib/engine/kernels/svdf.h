/* SPDX-License-Identifier: Apache-2.0
 * SVDF, int8, with a state of int8 or int16. Bit-exact with TFLite Micro's reference kernel (micro/kernels/svdf_common.cc).
 * Each filter's product with the input goes into its row of the state, whose oldest entry leaves while the row is
 * multiplied with its weights over time; `rank` filters make an output.
 */
#ifndef TINYPROOF_KERNELS_SVDF_H
#define TINYPROOF_KERNELS_SVDF_H

#include "kernels/four_rows_input.h"

/* Scratch: 8 * groups bytes. */
struct svdf {
    int32_t wide; /* 1: the state is int16, 0: int8 */
    int32_t batches;
    int32_t depth;   /* elements of an input row */
    int32_t groups;  /* of four elements of it */
    int32_t filters; /* rank * units */
    int32_t rank;
    int32_t memory;
    int32_t state_zero_point;
    int32_t zero_point;
    struct factor feature;
    struct factor output;
    KERNEL_TABLE int16_t *features; /* of each four filters: [groups][4][4] */
    KERNEL_TABLE int32_t *offsets;  /* [filters, filled up to four]: the input's zero point times its weights */
    KERNEL_TABLE int16_t *times;    /* [filters][memory] */
    KERNEL_TABLE int32_t *biases;   /* [filters / rank], the state's zero point folded in */
};

/* The new entry of a row of the state, and the row's product. TFLite Micro's sums wrap around. */
KERNEL_INLINE uint32_t svdf_row(int8_t *state, KERNEL_TABLE int16_t *w, int32_t entry, const struct svdf *p) {
    uint32_t sum = 0;
    const int32_t last = p->memory - 1;
    if (p->wide) {
        int16_t *row = (int16_t *)(void *)state;
        for (int32_t i = 0; i < last; i++) {
            const int32_t x = row[i + 1];
            row[i] = (int16_t)x;
            sum += (uint32_t)(x * w[i]);
        }
        row[last] = (int16_t)entry;
        return sum + (uint32_t)(row[last] * w[last]);
    }
    for (int32_t i = 0; i < last; i++) {
        const int32_t x = state[i + 1];
        state[i] = (int8_t)x;
        sum += (uint32_t)(x * w[i]);
    }
    state[last] = (int8_t)entry;
    return sum + (uint32_t)(state[last] * w[last]);
}

/* What a filter's product becomes in the state; with its zero point it may wrap around, as there. */
KERNEL_INLINE int32_t svdf_entry(int32_t product, const struct svdf *p) {
    int32_t y = requantize(product, p->feature.multiplier, p->feature.shift, 0, 0);
    y = p->wide ? saturate_s16(y) : clamp_s8(y, -128, 127);
    return y + p->state_zero_point;
}

KERNEL_INLINE void svdf_batch(const int16_t *x, int8_t *output, int8_t *state, const struct svdf *p) {
    KERNEL_TABLE int16_t *w = p->features;
    KERNEL_TABLE int16_t *times = p->times;
    KERNEL_TABLE int32_t *bias = p->biases;
    uint32_t sum = (uint32_t)*bias;
    int32_t left = p->rank;
    for (int32_t filter = 0; filter < p->filters; filter += 4) {
        KERNEL_TABLE int32_t *offset = p->offsets + filter;
        struct four_sums sums = {{offset[0], offset[1], offset[2], offset[3]}};
        four_rows_multiply(&sums, w, x, p->groups);
        w += 16 * p->groups;
        for (int32_t i = 0; i < 4 && filter + i < p->filters; i++) {
            sum += svdf_row(state, times, svdf_entry(sums.sum[i], p), p);
            state += p->memory << p->wide;
            times += p->memory;
            if (--left > 0) {
                continue;
            }
            const int32_t y = requantize((int32_t)sum, p->output.multiplier, p->output.shift, 0, p->zero_point);
            *output++ = clamp_s8(y, -128, 127);
            left = p->rank;
            if (filter + i + 1 < p->filters) {
                sum = (uint32_t)*++bias;
            }
        }
    }
}

static KERNEL_NOINLINE void svdf(const int8_t *input, int8_t *output, int8_t *state, int8_t *scratch,
                                 const struct svdf *p) {
    int16_t *x = (int16_t *)(void *)scratch;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        four_rows_input(x, input, p->depth);
        svdf_batch(x, output, state, p);
        input += p->depth;
        output += p->filters / p->rank;
        state += (p->filters * p->memory) << p->wide;
    }
}

#endif
