/* SPDX-License-Identifier: Apache-2.0
 * QUANTIZE from int8 to int16: a table. The exporter computes it with TFLite Micro's integer arithmetic.
 */
#ifndef TINYPROOF_KERNELS_LOOKUP_S16_H
#define TINYPROOF_KERNELS_LOOKUP_S16_H

#include "requantize.h"

struct lookup_s16 {
    int32_t count;
    KERNEL_TABLE int16_t *table; /* [256], by the input byte taken as unsigned */
};

KERNEL_INLINE void lookup_s16(const int8_t *input, int16_t *output, const struct lookup_s16 *p) {
    for (int32_t i = 0; i < p->count; i++) {
        output[i] = p->table[(uint8_t)input[i]];
    }
}

#endif
