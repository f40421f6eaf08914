/* SPDX-License-Identifier: Apache-2.0
 * BATCH_MATMUL, and FULLY_CONNECTED with weights that are computed, int8.
 * Bit-exact with TFLite Micro's reference kernels (reference/batch_matmul.h, integer_ops/fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_BATCH_MATMUL_S8_H
#define TINYPROOF_KERNELS_BATCH_MATMUL_S8_H

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

KERNEL_SHARED void batch_matmul_s8(const int8_t *a, const int8_t *b, int8_t *output, int8_t *scratch,
                                   const struct batch_matmul_s8 *p) {
    const struct matrices *m = &p->matrices;
    const int32_t depth = m->depth, inner = m->a_inner;
    int16_t *column = (int16_t *)(void *)scratch;
    struct matrix_pair at = {{0, 0, 0}, 0, 0};
    do {
        for (int32_t j = 0; j < m->columns; j++) {
            const int8_t *from = b + at.b + j * m->b_column;
            int32_t total = 0;
            for (int32_t k = 0; k < depth; k++, from += m->b_inner) {
                column[k] = (int16_t)(*from - p->b_zero_point);
                total += column[k];
            }
            const int32_t start = p->bias[j * p->bias_step] - p->a_zero_point * total;
            for (int32_t i = 0; i < m->rows; i++) {
                const int8_t *row = a + at.a + i * m->a_row;
                int32_t sum = start;
                for (int32_t k = 0; k < depth; k++, row += inner)
                    sum += *row * column[k];
                const int32_t y = requantize(sum, p->multiplier, p->shift, 0, p->zero_point);
                output[i * m->columns + j] = clamp_s8(y, p->clamp_min, p->clamp_max);
            }
        }
        output += m->rows * m->columns;
    } while (next_matrices(&at, m));
}

#endif
