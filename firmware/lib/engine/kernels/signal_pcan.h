/* SPDX-License-Identifier: Apache-2.0
 * SignalPCAN: each channel's gain is controlled by its noise. Bit-exact with TFLite Micro (signal/src/pcan_argc_fixed.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_PCAN_H
#define TINYPROOF_KERNELS_SIGNAL_PCAN_H

#include "kernels/signal_bits.h"

struct signal_pcan {
    int32_t count;
    int32_t shift;
    KERNEL_TABLE int16_t *gains; /* level, slope and bend from each power of two on */
};

KERNEL_INLINE int16_t pcan_gain(uint32_t noise, const struct signal_pcan *p) {
    if (noise <= 2) {
        return p->gains[noise];
    }
    const int32_t bits = signal_bits(noise);
    KERNEL_TABLE int16_t *piece = p->gains + 4 * bits - 6;
    const int32_t part = (int32_t)((bits < 11 ? noise << (11 - bits) : noise >> (bits - 11)) & 0x3FF);
    const int32_t slope = ((piece[2] * part) >> 5) + piece[1] * 32;
    return (int16_t)(((slope * part + (1 << 14)) >> 15) + piece[0]);
}

KERNEL_INLINE void signal_pcan(const uint32_t *input, const uint32_t *noise, uint32_t *output,
                               const struct signal_pcan *p) {
    for (int32_t i = 0; i < p->count; i++) {
        const uint32_t gain = (uint32_t)pcan_gain(noise[i], p);
        const uint32_t snr = (uint32_t)(((uint64_t)input[i] * gain) >> p->shift);
        output[i] = snr < (UINT32_C(2) << 12) ? (snr * snr) >> 20 : (snr >> 6) - 64;
    }
}

#endif
