/* SPDX-License-Identifier: Apache-2.0
 * SignalFilterBankSquareRoot: rounded roots, shifted to the right. Bit-exact with TFLite Micro
 * (signal/src/square_root_32.cc and square_root_64.cc): roots of numbers below 2^32 end at 2^16 - 1.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_SQUARE_ROOT_H
#define TINYPROOF_KERNELS_SIGNAL_SQUARE_ROOT_H

#include "requantize.h"

struct signal_square_root {
    int32_t count;
};

KERNEL_INLINE uint32_t square_root_32(uint32_t number) {
    uint32_t root = 0;
    for (uint32_t bit = UINT32_C(1) << 30; bit > 0; bit >>= 2) {
        const uint32_t tried = root + bit;
        root >>= 1;
        if (number >= tried) {
            number -= tried;
            root += bit;
        }
    }
    return number > root && root < UINT16_MAX ? root + 1 : root;
}

KERNEL_INLINE uint32_t square_root_64(uint64_t number) {
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 62; bit > 0; bit >>= 2) {
        const uint64_t tried = root + bit;
        root >>= 1;
        if (number >= tried) {
            number -= tried;
            root += bit;
        }
    }
    return (uint32_t)(number > root && root < UINT32_MAX ? root + 1 : root);
}

KERNEL_INLINE void signal_square_root(const uint64_t *input, const int32_t *scale, uint32_t *output,
                                      const struct signal_square_root *p) {
    for (int32_t i = 0; i < p->count; i++) {
        const uint64_t x = input[i];
        output[i] = (x >> 32 ? square_root_64(x) : square_root_32((uint32_t)x)) >> *scale;
    }
}

#endif
