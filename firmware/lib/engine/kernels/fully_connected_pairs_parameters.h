/* SPDX-License-Identifier: Apache-2.0
 * What fully_connected_pairs_s8 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_FULLY_CONNECTED_PAIRS_PARAMETERS_H
#define TINYPROOF_KERNELS_FULLY_CONNECTED_PAIRS_PARAMETERS_H

#include "kernels/convolution.h"

/* Scratch: 2 * depth bytes, aligned to 4. `pairs` holds per pair of units, int16 and 32-bit numbers as two of them:
 *   S, P: sums to begin with, bias a and bias a + 256 bias b; the input's zero point is folded in
 *   weights [depth], see pairs.h
 */
struct fully_connected_pairs_s8 {
    int32_t batches;       /* rows of the input */
    int32_t depth;         /* bytes of an input row, a multiple of 8 */
    int32_t units;         /* bytes of an output row, even */
    int32_t rounding;      /* 1 + 2 * zero point of the output */
    int32_t scales_step;   /* 4: `scales` has an entry for each pair; 0: one for all */
    KERNEL_TABLE int16_t *pairs;  /* aligned to 4 */
    KERNEL_TABLE int32_t *scales; /* multipliers a, b and shifts a, b: encoded as in requantize.h */
};

enum { FULLY_CONNECTED_PAIR_HALVES = 4 }; /* of a pair, besides its weights */

#endif
