/* SPDX-License-Identifier: Apache-2.0
 * BROADCAST_ARGS: the shape that two shapes have in common, from their ends. TFLite Micro takes the low 32 bits of each
 * size, and stops where two sizes differ and neither is 1; here the first one is taken.
 */
#ifndef TINYPROOF_KERNELS_BROADCAST_ARGS_H
#define TINYPROOF_KERNELS_BROADCAST_ARGS_H

#include <string.h>

#include "requantize.h"

struct broadcast_args {
    int32_t counts[2];
    int32_t output_count;
    int32_t element_bytes; /* 4 or 8 */
};

/* 1 before the first element. */
KERNEL_INLINE int32_t size_from_end(const int8_t *shape, int32_t count, int32_t from_end, int32_t bytes) {
    int32_t size = 1; /* the low half of an int64 comes first */
    if (from_end <= count) {
        memcpy(&size, shape + (count - from_end) * bytes, 4);
    }
    return size;
}

KERNEL_INLINE void broadcast_args(const int8_t *shape1, const int8_t *shape2, int8_t *output,
                                  const struct broadcast_args *p) {
    for (int32_t from_end = p->output_count; from_end > 0; from_end--, output += p->element_bytes) {
        const int32_t first = size_from_end(shape1, p->counts[0], from_end, p->element_bytes);
        const int64_t size = first == 1 ? size_from_end(shape2, p->counts[1], from_end, p->element_bytes) : first;
        memcpy(output, &size, (size_t)p->element_bytes);
    }
}

#endif
