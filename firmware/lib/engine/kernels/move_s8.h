/* SPDX-License-Identifier: Apache-2.0
 * READ_VARIABLE and ASSIGN_VARIABLE: bytes moved to another place, which may overlap theirs.
 */
#ifndef TINYPROOF_KERNELS_MOVE_S8_H
#define TINYPROOF_KERNELS_MOVE_S8_H

#include <string.h>

#include "requantize.h"

struct move_s8 {
    int32_t input_offset;
    int32_t output_offset;
    int32_t bytes;
};

KERNEL_INLINE void move_s8(const int8_t *input, int8_t *output, const struct move_s8 *p) {
    memmove(output + p->output_offset, input + p->input_offset, (size_t)p->bytes);
}

#endif
