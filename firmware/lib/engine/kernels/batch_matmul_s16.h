/* SPDX-License-Identifier: Apache-2.0
 * BATCH_MATMUL, int16 with sums of 64 bits.
 * Bit-exact with TFLite Micro's reference kernel (reference/batch_matmul.h).
 */
#ifndef TINYPROOF_KERNELS_BATCH_MATMUL_S16_H
#define TINYPROOF_KERNELS_BATCH_MATMUL_S16_H

#include "kernels/dots.h"
#include "kernels/matrices.h"
#include "kernels/requantize_s16.h"

/* Scratch: depth int16. */
struct batch_matmul_s16 {
    struct matrices matrices;
    struct rescaling_s16 rescaling; /* one for all */
};

/* One column of the output: rows of A, `inner` elements from one to the next along the depth, times a column of B. */
KERNEL_INLINE void batch_matmul_s16_column(const int16_t *a, const int16_t *column, int16_t *to,
                                           const struct batch_matmul_s16 *p) {
    const int32_t rows = p->matrices.rows, depth = p->matrices.depth, inner = p->matrices.a_inner;
    for (int32_t i = 0; i < rows; i += 2) {
        const int32_t whole = i + 1 < rows;
        const int16_t *first = a + i * p->matrices.a_row, *second = whole ? first + p->matrices.a_row : first;
        int64_t sums[2] = {0, 0};
        if (inner == 1) {
            dot_halves(sums, first, second, column, depth);
        } else {
            for (int32_t k = 0; k < depth; k++) {
                sums[0] += (int64_t)((int32_t)first[k * inner] * column[k]);
                sums[1] += (int64_t)((int32_t)second[k * inner] * column[k]);
            }
        }
        to[i * p->matrices.columns] = requantize_s16(sums[0], 0, &p->rescaling);
        if (whole) {
            to[(i + 1) * p->matrices.columns] = requantize_s16(sums[1], 0, &p->rescaling);
        }
    }
}

KERNEL_SHARED void batch_matmul_s16(const int16_t *a, const int16_t *b, int16_t *output, int8_t *scratch,
                                    const struct batch_matmul_s16 *p) {
    const struct matrices *m = &p->matrices;
    int16_t *column = (int16_t *)(void *)scratch;
    struct matrix_pair at = {{0, 0, 0}, 0, 0};
    do {
        for (int32_t j = 0; j < m->columns; j++) {
            const int16_t *from = b + at.b + j * m->b_column;
            for (int32_t k = 0; k < m->depth; k++) {
                column[k] = from[k * m->b_inner];
            }
            batch_matmul_s16_column(a + at.a, column, output + j, p);
        }
        output += m->rows * m->columns;
    } while (next_matrices(&at, m));
}

#endif
