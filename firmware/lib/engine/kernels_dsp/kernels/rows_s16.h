/* SPDX-License-Identifier: Apache-2.0
 * What the kernels with int16 activations for the DSP extension share.
 */
#ifndef TINYPROOF_KERNELS_ROWS_S16_H
#define TINYPROOF_KERNELS_ROWS_S16_H

#include "kernels/dsp.h"

/* Sums to outputs: the upper word of the product, rounded once. */
#define ROWS_MULTIPLY(a, multiplier) "smmul " a ", " a ", " multiplier "\n\t"
#define ROWS_CLAMP(a) "ssat " a ", #16, " a ", asr #1\n\t"

/* What a fused activation leaves of outputs that are clamped to int16. */
KERNEL_INLINE void clamp_outputs_s16(int16_t *output, int32_t count, int32_t min, int32_t max) {
    if (min <= -32768 && max >= 32767) {
        return;
    }
    for (; count > 0; count--, output++) {
        int32_t y = *output;
        y = y < min ? min : y;
        *output = (int16_t)(y > max ? max : y);
    }
}

#endif
