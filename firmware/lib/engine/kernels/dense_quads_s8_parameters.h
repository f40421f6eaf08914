/* SPDX-License-Identifier: Apache-2.0
 * What dense_quads_s8 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_DENSE_QUADS_S8_PARAMETERS_H
#define TINYPROOF_KERNELS_DENSE_QUADS_S8_PARAMETERS_H

#include "kernels/convolution.h"
#include "kernels/pairs.h"

/* Of each four units two pairs: of each four inputs the eight weights of the first pair, then those of the second, as
 * pairs.h has them, both numbers or both bytes. */
struct dense_quads_s8 {
    int32_t depth;    /* of the input, a multiple of 16 */
    int32_t units;    /* a multiple of 4 */
    int32_t rounding; /* 1 + 2 * zero point of the output */
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights; /* aligned to 4 */
    KERNEL_TABLE int32_t *scales; /* of each pair PAIR_SCALES; a bias has the input's zero point folded in */
};

#endif
