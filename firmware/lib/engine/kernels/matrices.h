/* SPDX-License-Identifier: Apache-2.0
 * Products of matrices that both may be computed: where they lie.
 */
#ifndef TINYPROOF_KERNELS_MATRICES_H
#define TINYPROOF_KERNELS_MATRICES_H

#include "kernels/convolution.h"

/* Y[row][column] = sum over the depth of A times B. Steps count elements; a step of 0 takes the same matrix again. */
struct matrices {
    int32_t batches[3];
    int32_t a_steps[3];
    int32_t b_steps[3];
    int32_t rows;
    int32_t depth;
    int32_t columns;
    int32_t a_row;    /* from a row of A to the next */
    int32_t a_inner;  /* along the depth */
    int32_t b_column; /* likewise of B */
    int32_t b_inner;
};

/* Which matrices of a batch are multiplied; begin at {{0, 0, 0}, 0, 0}. */
struct matrix_pair {
    int32_t number[3];
    int32_t a;
    int32_t b;
};

/* Returns 0 after the last pair. */
KERNEL_INLINE int32_t next_matrices(struct matrix_pair *at, const struct matrices *m) {
    for (int32_t i = 2; i >= 0; i--) {
        at->a += m->a_steps[i];
        at->b += m->b_steps[i];
        if (++at->number[i] < m->batches[i]) {
            return 1;
        }
        at->a -= m->batches[i] * m->a_steps[i];
        at->b -= m->batches[i] * m->b_steps[i];
        at->number[i] = 0;
    }
    return 0;
}

#endif
