/* SPDX-License-Identifier: Apache-2.0
 * CIRCULAR_BUFFER: the output is what was there, moved up by a row, and the input behind it.
 */
#ifndef TINYPROOF_KERNELS_CIRCULAR_BUFFER_H
#define TINYPROOF_KERNELS_CIRCULAR_BUFFER_H

#include <string.h>

#include "kernels/requantize.h"

struct circular_buffer {
    int32_t row_bytes;
    int32_t bytes;
};

KERNEL_INLINE void circular_buffer(const int8_t *input, int8_t *output, const struct circular_buffer *p) {
    const size_t kept = (size_t)(p->bytes - p->row_bytes);
    memmove(output, output + p->row_bytes, kept);
    memcpy(output + kept, input, (size_t)p->row_bytes);
}

#endif
