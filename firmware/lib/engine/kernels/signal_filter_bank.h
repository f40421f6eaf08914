/* SPDX-License-Identifier: Apache-2.0
 * SignalFilterBank: energies summed up by channels, each band of which counts for two neighbours. Bit-exact with TFLite
 * Micro (signal/src/filter_bank.cc), whose sums wrap around.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_FILTER_BANK_H
#define TINYPROOF_KERNELS_SIGNAL_FILTER_BANK_H

#include "requantize.h"

struct signal_filter_bank {
    int32_t channels;
    KERNEL_TABLE int16_t *weights;   /* in the channel that ends with a band */
    KERNEL_TABLE int16_t *unweights; /* in the one that begins with it */
    KERNEL_TABLE int16_t *bands;     /* [channels + 1] of first input, first weight, size */
};

KERNEL_INLINE void signal_filter_bank(const uint32_t *input, uint64_t *output, const struct signal_filter_bank *p) {
    uint64_t next = 0;
    for (int32_t channel = 0; channel <= p->channels; channel++) {
        KERNEL_TABLE int16_t *band = p->bands + 3 * channel;
        uint64_t sum = next;
        next = 0;
        for (int32_t i = 0; i < band[2]; i++) {
            const int64_t x = input[band[0] + i];
            sum += (uint64_t)(p->weights[band[1] + i] * x);
            next += (uint64_t)(p->unweights[band[1] + i] * x);
        }
        if (channel > 0) {
            output[channel - 1] = sum;
        }
    }
}

#endif
