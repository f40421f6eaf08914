/* SPDX-License-Identifier: Apache-2.0
 * CONV_2D, int8, where all shifts go to the right, for cores with MVE.
 */
#ifndef TINYPROOF_KERNELS_CONV_MVE_S8_H
#define TINYPROOF_KERNELS_CONV_MVE_S8_H

#include "kernels/conv_mve.h"

static __attribute__((noinline)) void conv_mve_multiply_right(const int8_t *x0, const int8_t *x1, int8_t *output,
                                                              int32_t distance, const struct conv_mve_s8 *p) {
    CONV_MVE_MULTIPLY(CONV_MVE_RIGHT);
}

KERNEL_SHARED void conv_mve_s8(const int8_t *input, int8_t *output, int8_t *scratch, const struct conv_mve_s8 *p) {
    conv_mve(conv_mve_multiply_right, input, output, scratch, p);
}

#endif
