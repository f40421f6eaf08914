/* SPDX-License-Identifier: Apache-2.0
 * Pairs of rows times one column or two (see pairs.h), in blocks that keep all of their sums in registers: each weight
 * that is loaded serves both columns, each input all rows. For cores with 32 registers or so.
 */
#ifndef TINYPROOF_KERNELS_PAIRS_BLOCKS_H
#define TINYPROOF_KERNELS_PAIRS_BLOCKS_H

#include "kernels/keep_order.h"
#include "kernels/pairs.h"

/* Sums of a pair of rows and two columns. Those of row b are of numbers 256 b + a at first where the rows are numbers. */
struct block_sums {
    int32_t a0;
    int32_t b0;
    int32_t a1;
    int32_t b1;
};

/* The byte of row a, and row b's or the number of both. `at` counts the inputs as they lie in a table. */
KERNEL_INLINE int32_t block_first(const int8_t *w, int32_t at) {
    return w[2 * at];
}

KERNEL_INLINE int32_t block_second(const int8_t *w, int32_t at, int32_t numbers) {
    return numbers ? ((const pair_number *)(const void *)w)[at] : w[2 * at + 1];
}

/* Adds one input's share. Sums of numbers may wrap. */
KERNEL_INLINE void block_step(struct block_sums *sums, const int8_t *w, int32_t at, int32_t numbers, int32_t x0,
                              int32_t x1, int32_t columns) {
    const int32_t a = block_first(w, at), b = block_second(w, at, numbers);
    sums->a0 += a * x0;
    sums->b0 = (int32_t)((uint32_t)sums->b0 + (uint32_t)(b * x0));
    if (columns > 1) {
        sums->a1 += a * x1;
        sums->b1 = (int32_t)((uint32_t)sums->b1 + (uint32_t)(b * x1));
    }
}

KERNEL_INLINE void block_finish(struct block_sums *sums, int32_t numbers) {
    if (numbers) {
        sums->b0 = (int32_t)((uint32_t)sums->b0 - (uint32_t)sums->a0) >> 8;
        sums->b1 = (int32_t)((uint32_t)sums->b1 - (uint32_t)sums->a1) >> 8;
    }
}

KERNEL_INLINE void block_keep(struct block_sums *sums, int32_t columns) {
    KEEP_ORDER(sums->a0);
    KEEP_ORDER(sums->b0);
    if (columns > 1) {
        KEEP_ORDER(sums->a1);
        KEEP_ORDER(sums->b1);
    }
}

/* What a block of rows and columns has at hand. */
struct block {
    struct block_sums sums[4]; /* of each pair of rows */
    const int8_t *rows[4];
    const int8_t *x0;
    const int8_t *x1;
};

/* Adds the share of four inputs from `first` on. */
KERNEL_INLINE void block_four(struct block *b, int32_t first, int32_t pairs, int32_t numbers, int32_t columns) {
#pragma GCC unroll 4
    for (int32_t at = 0; at < 4; at++) {
        const int32_t place = first + (at == 1 || at == 2 ? 3 - at : at);
        const int32_t y0 = b->x0[place], y1 = columns > 1 ? b->x1[place] : 0;
#pragma GCC unroll 4
        for (int32_t pair = 0; pair < pairs; pair++) {
            block_step(&b->sums[pair], b->rows[pair], first + at, numbers, y0, y1, columns);
            block_keep(&b->sums[pair], columns);
            KEEP_ORDER(b->rows[pair]);
        }
        KEEP_ORDER(b->x0);
        if (columns > 1) {
            KEEP_ORDER(b->x1);
        }
    }
}

KERNEL_INLINE void block_move(struct block *b, int32_t pairs, int32_t inputs, int32_t columns) {
#pragma GCC unroll 4
    for (int32_t pair = 0; pair < pairs; pair++) {
        b->rows[pair] += 2 * inputs;
    }
    b->x0 += inputs;
    b->x1 += columns > 1 ? inputs : 0;
}

/* `pairs` pairs of rows, 1, 2 or 4 of them, all numbers or all bytes, times `columns` columns, 1 or 2 of them. */
KERNEL_INLINE void block_multiply(struct block_sums sums[4], int32_t pairs, int32_t numbers, const int8_t *w,
                                  const int8_t *x0, const int8_t *x1, int32_t depth, int32_t columns) {
    const int8_t *end = x0 + depth;
    struct block b = {
        {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
        {w, pairs > 1 ? w + 2 * depth : w, pairs > 2 ? w + 4 * depth : w, pairs > 2 ? w + 6 * depth : w},
        x0,
        x1,
    };
    if (pairs < 4) {
        do {
            block_four(&b, 0, pairs, numbers, columns);
            block_move(&b, pairs, 4, columns);
        } while (b.x0 != end);
    } else { /* the more pointers there are, the more it costs to move them */
        if (depth & 4) {
            block_four(&b, 0, pairs, numbers, columns);
            block_move(&b, pairs, 4, columns);
        }
        while (b.x0 != end) {
            block_four(&b, 0, pairs, numbers, columns);
            block_four(&b, 4, pairs, numbers, columns);
            block_move(&b, pairs, 8, columns);
        }
    }
#pragma GCC unroll 4
    for (int32_t pair = 0; pair < pairs; pair++) {
        block_finish(&b.sums[pair], numbers);
        sums[pair] = b.sums[pair];
    }
}

#endif
