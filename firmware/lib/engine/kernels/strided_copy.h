/* SPDX-License-Identifier: Apache-2.0
 * TRANSPOSE, STRIDED_SLICE, SLICE, REVERSE_V2, BROADCAST_TO and the operators that exchange blocks of space for depth or
 * batch: the input's elements, or runs of them, in the order of the output. Sizes and steps are bytes.
 */
#ifndef TINYPROOF_KERNELS_STRIDED_COPY_H
#define TINYPROOF_KERNELS_STRIDED_COPY_H

#include <string.h>

#include "requantize.h"

struct strided_copy {
    int32_t counts[5]; /* nested loops over the output, outermost first */
    int32_t steps[5];  /* in the input; negative for one that is read backwards, 0 for one that is repeated */
    int32_t offset;    /* of the first row in the input */
    int32_t row_bytes; /* what lies together in both */
};

/* One element, or a row. The widths that elements have are compiled to loads and stores. */
KERNEL_INLINE void copy_row(const int8_t *input, int8_t *output, int32_t bytes) {
    if (bytes == 1) {
        *output = *input;
    } else if (bytes == 2) {
        memcpy(output, input, 2);
    } else if (bytes == 4) {
        memcpy(output, input, 4);
    } else {
        memcpy(output, input, (size_t)bytes);
    }
}

KERNEL_INLINE void strided_copy(const int8_t *input, int8_t *output, const struct strided_copy *p) {
    const int32_t row_bytes = p->row_bytes;
    for (int32_t a = 0; a < p->counts[0]; a++) {
        for (int32_t b = 0; b < p->counts[1]; b++) {
            for (int32_t c = 0; c < p->counts[2]; c++) {
                for (int32_t d = 0; d < p->counts[3]; d++) {
                    int32_t place = p->offset + a * p->steps[0] + b * p->steps[1] + c * p->steps[2] + d * p->steps[3];
                    for (int32_t left = p->counts[4]; left > 0; left--) {
                        copy_row(input + place, output, row_bytes);
                        output += row_bytes;
                        place += p->steps[4];
                    }
                }
            }
        }
    }
}

#endif
