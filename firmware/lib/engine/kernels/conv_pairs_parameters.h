/* SPDX-License-Identifier: Apache-2.0
 * What conv_pairs_s8 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_CONV_PAIRS_PARAMETERS_H
#define TINYPROOF_KERNELS_CONV_PAIRS_PARAMETERS_H

#include "kernels/convolution.h"
#include "kernels/pairs.h"

/* A row of the kernel, kernel_width * channels inputs, is filled up to a multiple of 4 with weights of 0. Or the kernel is
 * taken column by column, [kernel_width][kernel_height][channels], and filled up as a whole: the model then defines
 * CONV_BY_COLUMNS.
 * Scratch, aligned to 4: columns of 2 * depth bytes, four of them with three output pixels or more. Then kernel_height
 * rows of `strip` pixels and 3 bytes more; without a strip, a filled row for each column, unless pixels are taken as they
 * lie in whole words (`is_pointwise`).
 */
struct conv_pairs_s8 {
    struct conv_window window;
    int32_t depth;    /* kernel_height * filled row, or the filled kernel */
    int32_t units;    /* output channels */
    int32_t numbers;  /* so many pairs of output channels, from the first on, are numbers and shifted to the right */
    int32_t strip;    /* pixels of an input row between its borders that are copied for a row of outputs, or 0 */
    int32_t by_columns; /* the kernel is taken so; then there is a strip, and dilation_x divides it */
    int32_t rounding; /* 1 + 2 * zero point of the output */
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights; /* of each pair of output channels 2 * depth, see pairs.h; aligned to 4 */
    KERNEL_TABLE int32_t *scales; /* of each pair PAIR_SCALES; a bias has the input's zero point folded in */
};

#endif
