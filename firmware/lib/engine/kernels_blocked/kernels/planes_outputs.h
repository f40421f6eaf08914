/* SPDX-License-Identifier: Apache-2.0
 * Where conv_planes_s8 writes.
 */
#ifndef TINYPROOF_KERNELS_PLANES_OUTPUTS_H
#define TINYPROOF_KERNELS_PLANES_OUTPUTS_H

#include <stdint.h>

/* Where a strip's outputs of one unit lie. */
struct planes_outputs {
    int32_t rows;
    int32_t count;  /* of a row */
    int32_t stride; /* of their first taps in a row of the plane; 0: it holds sums */
    int32_t row;    /* bytes from the first tap of a row, or its sum, to that of the next */
    int32_t step;   /* bytes from one output of a row to the next, */
    int32_t step_y; /* and from one row of them to the next */
};

#endif
