/* SPDX-License-Identifier: Apache-2.0
 * Every operator whose output byte depends on one input byte alone, such as TANH, RELU or QUANTIZE. The exporter computes
 * the table with TFLite Micro's integer arithmetic (export/ops/lookup.py).
 */
#ifndef TINYPROOF_KERNELS_LOOKUP_S8_H
#define TINYPROOF_KERNELS_LOOKUP_S8_H

#include "requantize.h"

struct lookup_s8 {
    int32_t count;
    KERNEL_TABLE int8_t *table; /* [256], by the input byte taken as unsigned */
};

/* `input` and `output` may be the same. */
KERNEL_INLINE void lookup_s8(const int8_t *input, int8_t *output, const struct lookup_s8 *p) {
    KERNEL_TABLE int8_t *table = p->table;
    int32_t left = p->count;
    for (; left >= 4; left -= 4, input += 4, output += 4) {
        output[0] = table[(uint8_t)input[0]];
        output[1] = table[(uint8_t)input[1]];
        output[2] = table[(uint8_t)input[2]];
        output[3] = table[(uint8_t)input[3]];
    }
    for (; left > 0; left--) {
        *output++ = table[(uint8_t)*input++];
    }
}

#endif
