/* SPDX-License-Identifier: Apache-2.0
 * What a fused activation leaves of outputs; kernels_dsp/ has the same for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_CLAMP_BYTES_H
#define TINYPROOF_KERNELS_CLAMP_BYTES_H

#include "kernels/requantize.h"

KERNEL_INLINE void clamp_bytes(int8_t *output, int32_t count, int32_t min, int32_t max) {
    if (min <= -128 && max >= 127) {
        return;
    }
    for (; count > 0; count--, output++) {
        *output = clamp_s8(*output, min, max);
    }
}

#endif
