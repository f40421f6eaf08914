/* SPDX-License-Identifier: Apache-2.0
 * CONCATENATION and SPLIT: one call moves the part of one input or output, as rows at a constant distance.
 */
#ifndef TINYPROOF_KERNELS_COPY_S8_H
#define TINYPROOF_KERNELS_COPY_S8_H

#include <string.h>

#include "requantize.h"

struct copy_s8 {
    int32_t rows;
    int32_t row_bytes;
    int32_t input_offset;
    int32_t input_step;
    int32_t output_offset;
    int32_t output_step;
};

KERNEL_INLINE void copy_s8(const int8_t *input, int8_t *output, const struct copy_s8 *p) {
    input += p->input_offset;
    output += p->output_offset;
    for (int32_t row = 0; row < p->rows; row++) {
        memcpy(output + row * p->output_step, input + row * p->input_step, (size_t)p->row_bytes);
    }
}

#endif
