/* SPDX-License-Identifier: Apache-2.0
 * Layers of conv_planes_s8 that keep their weights in registers: none here; kernels_dsp/ has some.
 */
#ifndef TINYPROOF_KERNELS_PLANES_AT_ONCE_H
#define TINYPROOF_KERNELS_PLANES_AT_ONCE_H

#include "kernels/planes_multiply.h"
#include "kernels/planes_outputs.h"

#define PLANES_UNITS 1 /* see kernels_dsp/ */

/* Makes the outputs of a unit of one channel, and says whether it did. */
KERNEL_INLINE int32_t planes_at_once(int8_t *output, const int16_t *plane, const int8_t *weights, const int32_t *scales,
                                     const struct planes_shape *shape, const struct planes_outputs *outputs,
                                     int32_t rounding) {
    (void)output;
    (void)plane;
    (void)weights;
    (void)scales;
    (void)shape;
    (void)outputs;
    (void)rounding;
    return 0;
}

#endif
