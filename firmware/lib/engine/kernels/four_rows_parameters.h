/* SPDX-License-Identifier: Apache-2.0
 * What four rows of weights and a factor are, on any core.
 */
#ifndef TINYPROOF_KERNELS_FOUR_ROWS_PARAMETERS_H
#define TINYPROOF_KERNELS_FOUR_ROWS_PARAMETERS_H

#include "kernels/requantize.h"

/* A factor as requantize.h has it; for sums of 64 bits 15 bits of multiplier and a shift to the right. */
struct factor {
    int32_t multiplier;
    int32_t shift;
};

/* Of four rows of weights, which lie [groups][4 rows][4]. Those of int8 inputs stand in the order 0, 2, 1, 3 of each four,
 * as SXTB16 unpacks bytes; so do the inputs, once they are widened.
 */
struct four_sums {
    int32_t sum[4];
};

#endif
