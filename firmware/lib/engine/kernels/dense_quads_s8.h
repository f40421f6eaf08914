/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED of one row, int8, four units at a time, which reads its input where it lies and needs no scratch.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/fully_connected.h).
 */
#ifndef TINYPROOF_KERNELS_DENSE_QUADS_S8_H
#define TINYPROOF_KERNELS_DENSE_QUADS_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/dense_quads_s8_parameters.h"

KERNEL_SHARED void dense_quads_s8(const int8_t *input, int8_t *output, const struct dense_quads_s8 *p) {
    KERNEL_TABLE int8_t *weights = p->weights;
    KERNEL_TABLE int32_t *scales = p->scales;
    for (int32_t left = p->units; left > 0; left -= 4, weights += 4 * p->depth) {
        for (int32_t pair = 0; pair < 2; pair++, scales += PAIR_SCALES) {
            KERNEL_TABLE int8_t *w = weights + 8 * pair;
            struct pair_sums sums = {scales[0], pair_bias_b(scales)};
            const int32_t bytes = pair_flags(scales) & PAIR_BYTES;
            for (int32_t i = 0; i < p->depth; i += 4, w += 16) {
                const struct pair_sums part =
                    bytes ? multiply_bytes(w, input + i, 4) : multiply_numbers(w, input + i, 4);
                sums.a += part.a;
                sums.b += part.b;
            }
            *output++ = rescale_pair_s8(sums.a, scales[2], scales[4], p->rounding);
            *output++ = rescale_pair_s8(sums.b, scales[3], pair_scaling_b(scales), p->rounding);
        }
    }
    clamp_bytes(output - p->units, p->units, p->clamp_min, p->clamp_max);
}

#endif
