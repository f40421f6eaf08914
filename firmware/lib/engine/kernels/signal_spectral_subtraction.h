/* SPDX-License-Identifier: Apache-2.0
 * SignalFilterBankSpectralSubtraction: the estimated noise is taken from each channel. Bit-exact with TFLite Micro
 * (signal/src/filter_bank_spectral_subtraction.cc): products have 64 bits, and what is kept has 32.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_SPECTRAL_SUBTRACTION_H
#define TINYPROOF_KERNELS_SIGNAL_SPECTRAL_SUBTRACTION_H

#include "requantize.h"

struct signal_spectral_subtraction {
    int32_t count;
    int32_t clamping;
    uint32_t smoothing; /* of channels with an even number; the others have the alternate one */
    uint32_t one_minus_smoothing;
    uint32_t alternate_smoothing;
    uint32_t alternate_one_minus_smoothing;
    uint32_t min_signal_remaining;
    uint32_t smoothing_bits;
    uint32_t spectral_subtraction_bits;
};

KERNEL_INLINE void signal_spectral_subtraction(const uint32_t *input, uint32_t *output, uint32_t *noise,
                                               uint32_t *state, const struct signal_spectral_subtraction *p) {
    for (int32_t i = 0; i < p->count; i++) {
        const uint32_t x = input[i], signal = x << p->smoothing_bits;
        const uint32_t fresh = i % 2 ? p->alternate_smoothing : p->smoothing;
        const uint32_t old = i % 2 ? p->alternate_one_minus_smoothing : p->one_minus_smoothing;
        const uint64_t sum = (uint64_t)signal * fresh + (uint64_t)state[i] * old;
        const uint32_t estimate = (uint32_t)(sum >> p->spectral_subtraction_bits);
        const uint32_t subtracted = estimate > signal ? signal : estimate;
        state[i] = p->clamping ? subtracted : estimate;
        noise[i] = state[i];
        const uint32_t floor = (uint32_t)(((uint64_t)x * p->min_signal_remaining) >> p->spectral_subtraction_bits);
        const uint32_t left = (signal - subtracted) >> p->smoothing_bits;
        output[i] = left > floor ? left : floor;
    }
}

#endif
