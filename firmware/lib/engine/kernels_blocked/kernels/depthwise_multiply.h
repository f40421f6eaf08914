/* SPDX-License-Identifier: Apache-2.0
 * The inner loop of depthwise_quads_s8; kernels_dsp/ has the same for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_MULTIPLY_H
#define TINYPROOF_KERNELS_DEPTHWISE_MULTIPLY_H

#include "kernels/depthwise_walk.h"
#include "kernels/keep_order.h"
#include "kernels/rescale_units.h"

typedef int32_t __attribute__((may_alias)) quads_number;

/* Four channels at one offset. */
KERNEL_INLINE void depthwise_tap(int32_t sums[4], const int16_t *weights, const int8_t *x) {
    sums[0] += weights[0] * x[0];
    sums[1] += weights[2] * x[1];
    sums[2] += weights[1] * x[2];
    sums[3] += weights[3] * x[3];
}

/* Four channels after the other, from `x` on: inputs at x + offset. Returns the quads behind theirs. What the walk says is
 * read when it is needed: no register is left for it. */
static __attribute__((noinline)) const int16_t *depthwise_fours(const int16_t *quad, const int8_t *x, int8_t *output,
                                                                const struct depthwise_walk *walk) {
    const int32_t *const offsets = (const int32_t *)walk->offsets[0];
    const int32_t *const offsets_end = (const int32_t *)walk->offsets[1];
    const int8_t *const x_end = (const int8_t *)walk->outputs[0];
    do {
        const quads_number *bias = (const quads_number *)(const void *)quad;
        int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
        quad += 8;
        const int32_t *offset = offsets;
        do {
#pragma GCC unroll 3
            for (int32_t i = 0; i < 3; i++) {
                depthwise_tap(sums, quad + 4 * i, x + offset[i]);
                KEEP_ORDER(quad);
                KEEP_ORDER(offset);
            }
            offset += 3;
            quad += 12;
        } while (offset != offsets_end);
        const quads_number *factors = (const quads_number *)(const void *)quad;
        const uintptr_t step = walk->outputs[1];
#pragma GCC unroll 4
        for (int32_t i = 0; i < 4; i++, output += step) {
            const int32_t multiplier = factors[i], scaling = factors[4 + i];
            store_s8(output, rounds_once(multiplier) ? rescale_once(sums[i], multiplier, scaling)
                                                     : rescale_unit(sums[i], multiplier, scaling, walk->rounding));
        }
        quad += 16;
        x += 4;
    } while (x != x_end);
    return quad;
}

#endif
