/* SPDX-License-Identifier: Apache-2.0
 * DEPTHWISE_CONV_2D, int8, where shifts go any way, for cores with MVE.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_LEFT_MVE_S8_H
#define TINYPROOF_KERNELS_DEPTHWISE_LEFT_MVE_S8_H

#include "kernels/depthwise_mve.h"

static __attribute__((noinline)) void depthwise_mve_multiply_left(const int8_t *x, int32_t stride,
                                                                  const int32_t *offsets, int8_t *output,
                                                                  int32_t step_units, int32_t count,
                                                                  const struct depthwise_mve_s8 *p) {
    DEPTHWISE_MVE_MULTIPLY(DEPTHWISE_MVE_LEFT);
}

KERNEL_SHARED void depthwise_left_mve_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                         const struct depthwise_mve_s8 *p) {
    depthwise_mve(depthwise_mve_multiply_left, input, output, scratch, p);
}

#endif
