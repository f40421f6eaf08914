/* SPDX-License-Identifier: Apache-2.0
 * What conv_pairs_s8 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_PARAMETERS_H
#define TINYPROOF_KERNELS_CONV_PAIRS_PARAMETERS_H

#include "kernels/convolution.h"

/* Scratch: 5 * depth bytes, aligned to 4.
 * Per pair of output channels, int16 and 32-bit numbers as two of them, see pairs.h:
 *   S, P: sums to begin with, bias a and bias a + 256 bias b; the input's zero point is folded in
 *   weights [depth]
 *   multiplier a, multiplier b, shift a, shift b: encoded as in requantize.h; all shifts go to the right
 */
struct conv_pairs_s8 {
    struct conv_window window;
    int32_t depth;        /* kernel_height * kernel_width * channels, rounded up to a multiple of 8 */
    int32_t units;        /* output channels */
    int32_t rounding;     /* 1 + 2 * zero point of the output */
    KERNEL_TABLE int16_t *pairs; /* aligned to 4 */
};

enum { CONV_PAIR_HALVES = 12 }; /* of a pair, besides its weights */

#endif
