/* SPDX-License-Identifier: Apache-2.0
 * SLICE that begins where a tensor says. TFLite Micro reads beyond the input where that is too far; here the slice ends
 * with the input.
 */
#ifndef TINYPROOF_KERNELS_MOVING_SLICE_H
#define TINYPROOF_KERNELS_MOVING_SLICE_H

#include "index_operand.h"
#include "strided_copy.h"

struct moving_slice {
    int32_t dimensions;
    int32_t index_bytes;
    int32_t limits[5];  /* the last place where it can begin */
    int32_t strides[5]; /* of the input, in bytes */
    struct strided_copy walk;
};

KERNEL_INLINE void moving_slice(const int8_t *input, const int8_t *begin, int8_t *output,
                                const struct moving_slice *p) {
    for (int32_t k = 0; k < p->dimensions; k++) {
        input += clamped_index(begin, k, p->index_bytes, p->limits[k]) * p->strides[k];
    }
    strided_copy(input, output, &p->walk);
}

#endif
