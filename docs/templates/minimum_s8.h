/* SPDX-License-Identifier: Apache-2.0
 * MINIMUM, int8. A template: copy it to firmware/lib/engine/kernels/.
 * Bit-exact with TFLite Micro (micro/kernels/maximum_minimum.h).
 */
#ifndef TINYPROOF_KERNELS_MINIMUM_S8_H
#define TINYPROOF_KERNELS_MINIMUM_S8_H

#include "requantize.h"

struct minimum_s8 {
    int32_t count;
};

/* `output` may be the same as an input. */
KERNEL_INLINE void minimum_s8(const int8_t *a, const int8_t *b, int8_t *output, const struct minimum_s8 *p) {
    for (int32_t left = p->count; left > 0; left--, a++, b++)
        *output++ = *a < *b ? *a : *b;
}

#endif
