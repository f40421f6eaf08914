/* SPDX-License-Identifier: Apache-2.0
 * How many bits a number takes: what a piece of a curve between powers of two is found by.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_BITS_H
#define TINYPROOF_KERNELS_SIGNAL_BITS_H

#include "requantize.h"

KERNEL_INLINE int32_t signal_bits(uint32_t number) {
    int32_t bits = 0;
    for (int32_t step = 16; step > 0; step >>= 1) {
        if (number >> step) {
            number >>= step;
            bits += step;
        }
    }
    return bits + (number ? 1 : 0);
}

#endif
