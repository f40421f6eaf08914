/* SPDX-License-Identifier: Apache-2.0
 * SignalFilterBankLog: scaled natural logarithms. Bit-exact with TFLite Micro (signal/src/log.cc).
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_LOG_H
#define TINYPROOF_KERNELS_SIGNAL_LOG_H

#include "kernels/signal_bits.h"

struct signal_log {
    int32_t count;
    int32_t bits; /* to the left, before */
    uint32_t scale;
    KERNEL_TABLE uint16_t *curve; /* [129]: log2(1 + x) - x */
};

KERNEL_INLINE uint32_t scaled_log(uint32_t x, const struct signal_log *p) {
    const int32_t whole = signal_bits(x) - 1;
    const uint32_t rest = x - (UINT32_C(1) << whole);
    const int32_t part = (int32_t)(whole < 16 ? rest << (16 - whole) : rest >> (whole - 16));
    const int32_t low = p->curve[part >> 9], high = p->curve[(part >> 9) + 1];
    const uint32_t fraction = (uint32_t)(part + low + (((high - low) * (part & 511)) >> 16));
    const uint32_t log2 = ((uint32_t)whole << 16) + fraction;
    const uint32_t natural = (uint32_t)((UINT64_C(45426) * log2 + (UINT32_C(1) << 15)) >> 16);
    return (p->scale * natural + (UINT32_C(1) << 15)) >> 16;
}

KERNEL_INLINE void signal_log(const uint32_t *input, int16_t *output, const struct signal_log *p) {
    for (int32_t i = 0; i < p->count; i++) {
        const uint32_t x = input[i] << p->bits;
        const uint32_t y = x > 1 ? scaled_log(x, p) : 0;
        output[i] = (int16_t)(y < INT16_MAX ? y : INT16_MAX);
    }
}

#endif
