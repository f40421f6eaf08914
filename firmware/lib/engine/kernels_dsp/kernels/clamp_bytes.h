/* SPDX-License-Identifier: Apache-2.0
 * What a fused activation leaves of outputs, four at a time for cores with the DSP extension. Bit-exact with kernels/.
 */
#ifndef TINYPROOF_KERNELS_CLAMP_BYTES_H
#define TINYPROOF_KERNELS_CLAMP_BYTES_H

#include "kernels/dsp.h"

static __attribute__((noinline, hot)) void clamp_bytes(int8_t *output, int32_t count, int32_t min, int32_t max) {
    if (min <= -128 && max >= 127) {
        return;
    }
    const uint32_t low = (uint32_t)(min & 0xff) * 0x01010101U, high = (uint32_t)(max & 0xff) * 0x01010101U;
    for (; count >= 4; count -= 4, output += 4) {
        const uint32_t y = *(const loose_word *)output;
        *(loose_word *)output = least_bytes(greatest_bytes(y, low), high);
    }
    for (; count > 0; count--, output++) {
        *output = clamp_s8(*output, min, max);
    }
}

#endif
