/* SPDX-License-Identifier: Apache-2.0
 * Rescaling, int32 to int16. Bit-exact with TFLite Micro (reference/requantize.h and the activations).
 */
#ifndef TINYPROOF_KERNELS_RESCALE_S32_S16_H
#define TINYPROOF_KERNELS_RESCALE_S32_S16_H

#include "rescale.h"

struct rescale_s32_s16 {
    RESCALE_FACTORS;
};

KERNEL_INLINE void rescale_s32_s16(const int32_t *input, int16_t *output, const struct rescale_s32_s16 *p) {
    for (int32_t i = 0; i < p->count; i++) {
        output[i] = (int16_t)RESCALE(p, (int32_t)input[i]);
    }
}

#endif
