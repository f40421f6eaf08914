/* SPDX-License-Identifier: Apache-2.0
 * GATHER, GATHER_ND and EMBEDDING_LOOKUP, int8: rows of the input that indices name. TFLite Micro reads beyond the input
 * or gives up where an index names none; here the nearest row is taken.
 */
#ifndef TINYPROOF_KERNELS_GATHER_S8_H
#define TINYPROOF_KERNELS_GATHER_S8_H

#include <string.h>

#include "index_operand.h"

struct gather_s8 {
    int32_t batches;
    int32_t outer;    /* parts of the input in each batch, which the same indices are looked up in */
    int32_t names;    /* of rows, in each batch */
    int32_t depth;    /* indices in a name */
    int32_t steps[5]; /* of each index in the input */
    int32_t last;     /* place of the last row in a part */
    int32_t part_bytes;
    int32_t row_bytes;
};

KERNEL_INLINE void gather_s8(const int8_t *input, const int32_t *indices, int8_t *output, const struct gather_s8 *p) {
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t part = 0; part < p->outer; part++) {
            const int32_t *name = indices;
            for (int32_t left = p->names; left > 0; left--, name += p->depth) {
                int64_t place = 0;
                for (int32_t k = 0; k < p->depth; k++) {
                    place += (int64_t)name[k] * p->steps[k];
                }
                memcpy(output, input + clamp_index(place, p->last), (size_t)p->row_bytes);
                output += p->row_bytes;
            }
            input += p->part_bytes;
        }
        indices += p->names * p->depth;
    }
}

#endif
