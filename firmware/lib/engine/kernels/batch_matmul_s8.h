/* SPDX-License-Identifier: Apache-2.0
 * BATCH_MATMUL, and FULLY_CONNECTED with weights that are computed, int8.
 * Bit-exact with TFLite Micro's reference kernels (reference/batch_matmul.h, integer_ops/fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_BATCH_MATMUL_S8_H
#define TINYPROOF_KERNELS_BATCH_MATMUL_S8_H

#include "kernels/dots.h"
#include "kernels/matrices.h"

/* Scratch: depth int16. */
struct batch_matmul_s8 {
    struct matrices matrices;
    int32_t a_zero_point;
    int32_t b_zero_point;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    int32_t bias_step;          /* 1: a bias for each column; 0: one for all */
    int32_t multiplier;         /* encoded as in requantize.h, like the shift */
    int32_t shift;
    KERNEL_TABLE int32_t *bias;
};

/* What follows the sums. The numbers are copied out of the layer's: a store of bytes might be one of them for all that a
 * compiler knows.
 */
struct batch_matmul_s8_rescaling {
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
};

/* One column of the output: rows of A, `inner` elements from one to the next along the depth, times a column of B. */
KERNEL_INLINE void batch_matmul_s8_column(const int8_t *a, int32_t rows, int32_t a_row, int32_t inner,
                                          const int16_t *column, int32_t depth, int32_t start, int8_t *to, int32_t step,
                                          struct batch_matmul_s8_rescaling r) {
    for (int32_t i = 0; i < rows; i += 2) {
        const int32_t whole = i + 1 < rows;
        const int8_t *first = a + i * a_row, *second = whole ? first + a_row : first;
        int32_t sums[2] = {start, start};
        if (inner == 1) {
            dot_bytes(sums, first, second, column, depth);
        } else {
            for (int32_t k = 0; k < depth; k++) {
                const int32_t x = column[column_place(k, depth)];
                sums[0] += first[k * inner] * x;
                sums[1] += second[k * inner] * x;
            }
        }
        to[i * step] = clamp_s8(requantize(sums[0], r.multiplier, r.shift, 0, r.zero_point), r.clamp_min, r.clamp_max);
        if (whole) {
            to[(i + 1) * step] =
                clamp_s8(requantize(sums[1], r.multiplier, r.shift, 0, r.zero_point), r.clamp_min, r.clamp_max);
        }
    }
}

KERNEL_SHARED void batch_matmul_s8(const int8_t *a, const int8_t *b, int8_t *output, int8_t *scratch,
                                   const struct batch_matmul_s8 *p) {
    const struct matrices *m = &p->matrices;
    const struct batch_matmul_s8_rescaling rescaling = {
        p->multiplier, p->shift, p->zero_point, p->clamp_min, p->clamp_max,
    };
    const int32_t depth = m->depth, columns = m->columns, b_zero_point = p->b_zero_point, b_inner = m->b_inner;
    int16_t *column = (int16_t *)(void *)scratch;
    struct matrix_pair at = {{0, 0, 0}, 0, 0};
    do {
        for (int32_t j = 0; j < columns; j++) {
            const int8_t *from = b + at.b + j * m->b_column;
            int32_t total = 0;
            for (int32_t k = 0; k < depth; k++) {
                const int32_t x = from[k * b_inner] - b_zero_point;
                column[column_place(k, depth)] = (int16_t)x;
                total += x;
            }
            const int32_t start = p->bias[j * p->bias_step] - p->a_zero_point * total;
            batch_matmul_s8_column(a + at.a, m->rows, m->a_row, m->a_inner, column, depth, start, output + j, columns,
                                   rescaling);
        }
        output += m->rows * columns;
    } while (next_matrices(&at, m));
}

#endif
