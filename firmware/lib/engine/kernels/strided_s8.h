/* SPDX-License-Identifier: Apache-2.0
 * TRANSPOSE and STRIDED_SLICE, int8: the input's bytes in the order of the output.
 */
#ifndef TINYPROOF_KERNELS_STRIDED_S8_H
#define TINYPROOF_KERNELS_STRIDED_S8_H

#include "requantize.h"

struct strided_s8 {
    int32_t counts[5]; /* nested loops over the output, outermost first */
    int32_t steps[5];  /* in the input, in bytes; negative for a slice that runs backwards */
    int32_t offset;    /* of the first byte in the input */
};

KERNEL_INLINE void strided_s8(const int8_t *input, int8_t *output, const struct strided_s8 *p) {
    for (int32_t a = 0; a < p->counts[0]; a++) {
        for (int32_t b = 0; b < p->counts[1]; b++) {
            for (int32_t c = 0; c < p->counts[2]; c++) {
                for (int32_t d = 0; d < p->counts[3]; d++) {
                    int32_t place = p->offset + a * p->steps[0] + b * p->steps[1] + c * p->steps[2] + d * p->steps[3];
                    for (int32_t left = p->counts[4]; left > 0; left--) {
                        *output++ = input[place];
                        place += p->steps[4];
                    }
                }
            }
        }
    }
}

#endif
