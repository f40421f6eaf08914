/* SPDX-License-Identifier: Apache-2.0
 * SignalFftAutoScale: samples shifted to the left as far as their largest one allows. Bit-exact with TFLite Micro
 * (signal/src/fft_auto_scale.cc), whose largest one becomes -32768 by a sample of -32768, and is then forgotten by
 * whatever follows.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_FFT_AUTO_SCALE_H
#define TINYPROOF_KERNELS_SIGNAL_FFT_AUTO_SCALE_H

#include "requantize.h"

struct signal_fft_auto_scale {
    int32_t count;
};

KERNEL_INLINE void signal_fft_auto_scale(const int16_t *input, int16_t *output, int32_t *bits,
                                         const struct signal_fft_auto_scale *p) {
    int32_t largest = 0;
    for (int32_t i = 0; i < p->count; i++) {
        const int32_t x = input[i];
        const int32_t magnitude = x > largest ? x : -x;
        largest = magnitude > largest ? magnitude : largest;
        largest = largest > INT16_MAX ? INT16_MIN : largest;
    }
    int32_t shift = 0;
    while (largest > 0 && largest << (shift + 1) <= INT16_MAX) {
        shift++;
    }
    *bits = shift;
    for (int32_t i = 0; i < p->count; i++) {
        output[i] = (int16_t)(input[i] * (INT32_C(1) << shift));
    }
}

#endif
