/* SPDX-License-Identifier: Apache-2.0
 * Rescaling, int32 to int8. Bit-exact with TFLite Micro (reference/requantize.h and the activations).
 */
#ifndef TINYPROOF_KERNELS_RESCALE_S32_S8_H
#define TINYPROOF_KERNELS_RESCALE_S32_S8_H

#include "rescale.h"

struct rescale_s32_s8 {
    RESCALE_FACTORS;
};

KERNEL_INLINE void rescale_s32_s8(const int32_t *input, int8_t *output, const struct rescale_s32_s8 *p) {
    for (int32_t i = 0; i < p->count; i++) {
        output[i] = (int8_t)RESCALE(p, (int32_t)input[i]);
    }
}

#endif
