/* SPDX-License-Identifier: Apache-2.0
 * BATCH_MATMUL, int16 with sums of 64 bits.
 * Bit-exact with TFLite Micro's reference kernel (reference/batch_matmul.h).
 */
#ifndef TINYPROOF_KERNELS_BATCH_MATMUL_S16_H
#define TINYPROOF_KERNELS_BATCH_MATMUL_S16_H

#include "kernels/matrices.h"
#include "kernels/requantize_s16.h"

/* Scratch: depth int16. */
struct batch_matmul_s16 {
    struct matrices matrices;
    struct rescaling_s16 rescaling; /* one for all */
};

KERNEL_SHARED void batch_matmul_s16(const int16_t *a, const int16_t *b, int16_t *output, int8_t *scratch,
                                    const struct batch_matmul_s16 *p) {
    const struct matrices *m = &p->matrices;
    const int32_t depth = m->depth, inner = m->a_inner;
    int16_t *column = (int16_t *)(void *)scratch;
    struct matrix_pair at = {{0, 0, 0}, 0, 0};
    do {
        for (int32_t j = 0; j < m->columns; j++) {
            const int16_t *from = b + at.b + j * m->b_column;
            for (int32_t k = 0; k < depth; k++, from += m->b_inner)
                column[k] = *from;
            for (int32_t i = 0; i < m->rows; i++) {
                const int16_t *row = a + at.a + i * m->a_row;
                int64_t sum = 0;
                for (int32_t k = 0; k < depth; k++, row += inner)
                    sum += (int32_t)*row * column[k];
                output[i * m->columns + j] = requantize_s16(sum, 0, &p->rescaling);
            }
        }
        output += m->rows * m->columns;
    } while (next_matrices(&at, m));
}

#endif
