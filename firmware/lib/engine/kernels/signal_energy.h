/* SPDX-License-Identifier: Apache-2.0
 * SignalEnergy: the squares of a spectrum's magnitudes. Bit-exact with TFLite Micro (signal/src/energy.cc), which leaves
 * unset what is zero here.
 */
#ifndef TINYPROOF_KERNELS_SIGNAL_ENERGY_H
#define TINYPROOF_KERNELS_SIGNAL_ENERGY_H

#include "requantize.h"

struct signal_energy {
    int32_t start;
    int32_t end;
    int32_t count;
};

KERNEL_INLINE void signal_energy(const int16_t *input, uint32_t *output, const struct signal_energy *p) {
    for (int32_t i = 0; i < p->start; i++) {
        output[i] = 0;
    }
    for (int32_t i = p->end; i < p->count; i++) {
        output[i] = 0;
    }
    for (int32_t i = p->start; i < p->end; i++) {
        const int32_t real = input[2 * i], imaginary = input[2 * i + 1];
        output[i] = (uint32_t)(real * real) + (uint32_t)(imaginary * imaginary);
    }
}

#endif
