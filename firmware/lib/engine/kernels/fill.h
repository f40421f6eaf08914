/* SPDX-License-Identifier: Apache-2.0
 * FILL and ZEROS_LIKE: one element, again and again.
 */
#ifndef TINYPROOF_KERNELS_FILL_H
#define TINYPROOF_KERNELS_FILL_H

#include <string.h>

#include "requantize.h"

struct fill {
    int32_t count;
    int32_t element_bytes;
};

KERNEL_INLINE void fill(const int8_t *value, int8_t *output, const struct fill *p) {
    if (p->element_bytes == 1) {
        memset(output, *value, (size_t)p->count);
        return;
    }
    for (int32_t left = p->count; left > 0; left--, output += p->element_bytes) {
        memcpy(output, value, (size_t)p->element_bytes);
    }
}

#endif
