/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED, int8, where all shifts go to the right, for cores with MVE.
 */
#ifndef TINYPROOF_KERNELS_FULLY_CONNECTED_MVE_S8_H
#define TINYPROOF_KERNELS_FULLY_CONNECTED_MVE_S8_H

#include "kernels/fully_connected_mve.h"

static __attribute__((noinline)) void fully_connected_mve_right(const int8_t *input, int8_t *output,
                                                                const struct fully_connected_mve_s8 *p) {
    FULLY_CONNECTED_MVE_MULTIPLY(FULLY_CONNECTED_MVE_RIGHT);
}

KERNEL_SHARED void fully_connected_mve_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                          const struct fully_connected_mve_s8 *p) {
    (void)scratch; /* other kernels with these arguments copy their input there */
    fully_connected_mve(fully_connected_mve_right, input, output, p);
}

#endif
