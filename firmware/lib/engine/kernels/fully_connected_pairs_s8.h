/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED, int8, where all shifts go to the right, the clamp is int8's, and units are packed in pairs.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_FULLY_CONNECTED_PAIRS_S8_H
#define TINYPROOF_KERNELS_FULLY_CONNECTED_PAIRS_S8_H

#include "kernels/fully_connected_pairs_parameters.h"
#include "kernels/pairs.h"

KERNEL_SHARED void fully_connected_pairs_s8(const int8_t *input, int8_t *output, int8_t *scratch,
                                            const struct fully_connected_pairs_s8 *p) {
    (void)scratch; /* the kernel for DSP extensions widens its input there */
    for (int32_t batch = 0; batch < p->batches; batch++) {
        KERNEL_TABLE int16_t *pair = p->pairs;
        KERNEL_TABLE int32_t *scale = p->scales;
        for (int32_t unit = 0; unit < p->units; unit += 2) {
            const struct pair_sums sums = multiply_pair(pair, input, p->depth);
            *output++ = requantize_s8(sums.a, scale[0], scale[2], p->rounding);
            *output++ = requantize_s8(sums.b, scale[1], scale[3], p->rounding);
            pair += p->depth + FULLY_CONNECTED_PAIR_HALVES;
            scale += p->scales_step;
        }
        input += p->depth;
    }
}

#endif
