/* SPDX-License-Identifier: Apache-2.0
 * DYNAMIC_UPDATE_SLICE: the operand with a part of it replaced, which is moved until it lies within. Sizes are bytes.
 */
#ifndef TINYPROOF_KERNELS_UPDATE_SLICE_H
#define TINYPROOF_KERNELS_UPDATE_SLICE_H

#include "index_operand.h"

struct update_slice {
    int32_t operand_bytes;
    int32_t dimensions;
    int32_t index_bytes;
    int32_t limits[6];  /* the last place where the part can begin */
    int32_t strides[6]; /* of the operand */
    int32_t counts[5];  /* nested loops over the part's rows, outermost first */
    int32_t steps[5];   /* between rows in the operand */
    int32_t row_bytes;
};

/* `operand` and `output` may be the same. */
KERNEL_INLINE void update_slice(const int8_t *operand, const int8_t *update, const int8_t *begin, int8_t *output,
                                const struct update_slice *p) {
    if (operand != output) {
        memmove(output, operand, (size_t)p->operand_bytes);
    }
    for (int32_t k = 0; k < p->dimensions; k++) {
        output += clamped_index(begin, k, p->index_bytes, p->limits[k]) * p->strides[k];
    }
    for (int32_t a = 0; a < p->counts[0]; a++) {
        for (int32_t b = 0; b < p->counts[1]; b++) {
            for (int32_t c = 0; c < p->counts[2]; c++) {
                for (int32_t d = 0; d < p->counts[3]; d++) {
                    int8_t *row = output + a * p->steps[0] + b * p->steps[1] + c * p->steps[2] + d * p->steps[3];
                    for (int32_t left = p->counts[4]; left > 0; left--) {
                        memcpy(row, update, (size_t)p->row_bytes);
                        update += p->row_bytes;
                        row += p->steps[4];
                    }
                }
            }
        }
    }
}

#endif
