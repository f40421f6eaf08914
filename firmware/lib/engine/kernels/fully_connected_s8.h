/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED, int8: y = clamp(zero_point + requantize(bias + weights x)), per unit and per row of the input.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/fully_connected.h).
 *
 * The function is inlined into its call: with a constant `p` the compiler drops every loop, table and branch that the
 * layer does not need. A model that calls it often shares one copy instead, see FULLY_CONNECTED_S8_SHARED.
 */
#ifndef TINYPROOF_KERNELS_FULLY_CONNECTED_S8_H
#define TINYPROOF_KERNELS_FULLY_CONNECTED_S8_H

#include "requantize.h"

struct fully_connected_s8 {
    int32_t batches; /* rows of the input */
    int32_t depth;   /* bytes of an input row */
    int32_t units;   /* bytes of an output row */
    int32_t zero_point;
    int32_t clamp_min;
    int32_t clamp_max;
    int32_t multiplier_step;   /* 1: one multiplier per unit; 0: one for all */
    int32_t shift_step;        /* likewise for shifts */
    int32_t shifts_right;      /* 1: all shifts are negative */
    const int8_t *weights;     /* [units][depth] */
    const int32_t *bias;       /* [units], the input's zero point folded in */
    const int32_t *multipliers;
    const int8_t *shifts;      /* as in TFLite: negative shifts to the right */
};

KERNEL_INLINE int8_t fully_connected_s8_output(int32_t accumulator, int32_t unit, const struct fully_connected_s8 *p) {
    const int32_t multiplier = p->multipliers[unit * p->multiplier_step];
    const int32_t shift = p->shifts[unit * p->shift_step];
    const int32_t y = requantize(accumulator, multiplier, shift, p->shifts_right) + p->zero_point;
    return clamp_s8(y, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void fully_connected_s8(const int8_t *input, int8_t *output, const struct fully_connected_s8 *p) {
    const int32_t depth = p->depth;
    const int32_t units = p->units;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        const int8_t *w = p->weights;
        int32_t unit = 0;
        /* Four units at once: every input byte that is loaded serves four multiply-accumulates. */
        for (; unit + 4 <= units; unit += 4) {
            int32_t a0 = p->bias[unit], a1 = p->bias[unit + 1], a2 = p->bias[unit + 2], a3 = p->bias[unit + 3];
            int32_t i = 0;
            for (; i + 2 <= depth; i += 2) {
                const int32_t x0 = input[i], x1 = input[i + 1];
                a0 += w[i] * x0 + w[i + 1] * x1;
                a1 += w[depth + i] * x0 + w[depth + i + 1] * x1;
                a2 += w[2 * depth + i] * x0 + w[2 * depth + i + 1] * x1;
                a3 += w[3 * depth + i] * x0 + w[3 * depth + i + 1] * x1;
            }
            if (i < depth) {
                const int32_t x0 = input[i];
                a0 += w[i] * x0;
                a1 += w[depth + i] * x0;
                a2 += w[2 * depth + i] * x0;
                a3 += w[3 * depth + i] * x0;
            }
            output[unit] = fully_connected_s8_output(a0, unit, p);
            output[unit + 1] = fully_connected_s8_output(a1, unit + 1, p);
            output[unit + 2] = fully_connected_s8_output(a2, unit + 2, p);
            output[unit + 3] = fully_connected_s8_output(a3, unit + 3, p);
            w += 4 * depth;
        }
        for (; unit < units; unit++) {
            int32_t a = p->bias[unit];
            for (int32_t i = 0; i < depth; i++)
                a += w[i] * input[i];
            output[unit] = fully_connected_s8_output(a, unit, p);
            w += depth;
        }
        input += depth;
        output += units;
    }
}

#endif
