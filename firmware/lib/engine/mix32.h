/* SPDX-License-Identifier: Apache-2.0
 * A function of 32 bits in which every bit of the result depends on every bit of `x` (T. Mueller's hash of integers).
 * Without a state, so that both sides of the line make any element of any contents at once.
 */
#ifndef TINYPROOF_MIX32_H
#define TINYPROOF_MIX32_H

#include <stdint.h>

static inline uint32_t mix32(uint32_t x) {
    for (uint8_t round = 0; round < 2; round++) {
        x = (x ^ x >> 16) * 0x045D9F3BU;
    }
    return x ^ x >> 16;
}

#endif
