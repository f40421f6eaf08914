/* SPDX-License-Identifier: Apache-2.0
 * QUANTIZE from int8 to int32: a table. The exporter computes it with TFLite Micro's integer arithmetic.
 */
#ifndef TINYPROOF_KERNELS_LOOKUP_S32_H
#define TINYPROOF_KERNELS_LOOKUP_S32_H

#include "requantize.h"

struct lookup_s32 {
    int32_t count;
    KERNEL_TABLE int32_t *table; /* [256], by the input byte taken as unsigned */
};

KERNEL_INLINE void lookup_s32(const int8_t *input, int32_t *output, const struct lookup_s32 *p) {
    for (int32_t i = 0; i < p->count; i++) {
        output[i] = p->table[(uint8_t)input[i]];
    }
}

#endif
