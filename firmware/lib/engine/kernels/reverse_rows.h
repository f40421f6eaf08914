/* SPDX-License-Identifier: Apache-2.0
 * REVERSE_V2 along axes that a tensor names: neighbours, in any order. Where TFLite Micro gives up, since there are no
 * such axes, the nearest ones are taken.
 */
#ifndef TINYPROOF_KERNELS_REVERSE_ROWS_H
#define TINYPROOF_KERNELS_REVERSE_ROWS_H

#include <string.h>

#include "requantize.h"

struct reverse_rows {
    int32_t rank;
    int32_t axes;
    int32_t shape[6];
    int32_t element_bytes;
};

KERNEL_INLINE void reverse_rows(const int8_t *input, const int8_t *axes, int8_t *output, const struct reverse_rows *p) {
    int32_t first = p->rank - p->axes;
    for (int32_t k = 0; k < p->axes; k++) {
        int32_t axis;
        memcpy(&axis, axes + 4 * k, 4);
        axis = axis < 0 ? axis + p->rank : axis;
        first = axis < first ? axis : first;
    }
    first = first < 0 ? 0 : first;
    int32_t parts = 1, rows = 1, row_bytes = p->element_bytes;
    for (int32_t k = 0; k < p->rank; k++) {
        if (k < first) {
            parts *= p->shape[k];
        } else if (k < first + p->axes) {
            rows *= p->shape[k];
        } else {
            row_bytes *= p->shape[k];
        }
    }
    for (; parts > 0; parts--, input += rows * row_bytes) {
        for (int32_t row = rows; row-- > 0; output += row_bytes) {
            memcpy(output, input + row * row_bytes, (size_t)row_bytes);
        }
    }
}

#endif
