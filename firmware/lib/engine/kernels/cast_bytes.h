/* SPDX-License-Identifier: Apache-2.0
 * CAST between integers of different sizes, and to bool, byte by byte from the lowest on. Bit-exact with TFLite Micro
 * (micro/kernels/cast.cc).
 */
#ifndef TINYPROOF_KERNELS_CAST_BYTES_H
#define TINYPROOF_KERNELS_CAST_BYTES_H

#include "requantize.h"

struct cast_bytes {
    int32_t count;
    int32_t input_bytes; /* of an element */
    int32_t output_bytes;
    int32_t truth; /* 1: to bool, whether any bit is set */
};

KERNEL_INLINE void cast_bytes(const int8_t *input, int8_t *output, const struct cast_bytes *p) {
    for (int32_t i = 0; i < p->count; i++, input += p->input_bytes) {
        int8_t any = 0;
        for (int32_t k = 0; k < p->input_bytes; k++) {
            any = input[k] != 0 ? 1 : any;
        }
        if (p->truth) {
            *output++ = any;
            continue;
        }
        const int8_t sign = input[p->input_bytes - 1] < 0 ? -1 : 0;
        for (int32_t k = 0; k < p->output_bytes; k++) {
            *output++ = k < p->input_bytes ? input[k] : sign;
        }
    }
}

#endif
