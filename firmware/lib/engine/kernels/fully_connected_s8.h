/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED, int8: y = clamp(zero_point + requantize(bias + weights x)), per unit and per row of the input.
 * Bit-exact with TFLite Micro's reference kernel (reference/integer_ops/fully_connected.h).
 *
 * The function is inlined into its call: with a constant `p` the compiler drops every loop, table and branch that the
 * layer does not need. A model that calls it often shares one copy (see export/codegen.py).
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
    int32_t shifts_right;      /* 1: all shifts go to the right */
    KERNEL_TABLE int8_t *weights;      /* [units][depth] */
    KERNEL_TABLE int32_t *bias;        /* [units], the input's zero point folded in */
    KERNEL_TABLE int32_t *multipliers; /* encoded as in requantize.h, like the shifts */
    KERNEL_TABLE int8_t *shifts;
};

/* One input byte times its weights in four rows. */
KERNEL_INLINE void fully_connected_s8_column(int32_t *a0, int32_t *a1, int32_t *a2, int32_t *a3, KERNEL_TABLE int8_t *w,
                                             int32_t depth, int32_t x) {
    *a0 += w[0] * x;
    *a1 += w[depth] * x;
    *a2 += w[2 * depth] * x;
    *a3 += w[3 * depth] * x;
}

KERNEL_INLINE int8_t fully_connected_s8_output(int32_t accumulator, int32_t unit, const struct fully_connected_s8 *p) {
    const int32_t multiplier = p->multipliers[unit * p->multiplier_step];
    const int32_t shift = p->shifts[unit * p->shift_step];
    const int32_t y = requantize(accumulator, multiplier, shift, p->shifts_right, p->zero_point);
    return clamp_s8(y, p->clamp_min, p->clamp_max);
}

KERNEL_INLINE void fully_connected_s8(const int8_t *input, int8_t *output, const struct fully_connected_s8 *p) {
    const int32_t depth = p->depth;
    const int32_t units = p->units;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        KERNEL_TABLE int8_t *w = p->weights;
        int32_t unit = 0;
        /* Four units at once: every input byte that is loaded serves four multiply-accumulates. */
        for (; unit + 4 <= units; unit += 4) {
            int32_t a0 = p->bias[unit], a1 = p->bias[unit + 1], a2 = p->bias[unit + 2], a3 = p->bias[unit + 3];
            const int8_t *x = input;
            int32_t left = depth;
            for (; left >= 4; left -= 4) {
                fully_connected_s8_column(&a0, &a1, &a2, &a3, w, depth, x[0]);
                fully_connected_s8_column(&a0, &a1, &a2, &a3, w + 1, depth, x[1]);
                fully_connected_s8_column(&a0, &a1, &a2, &a3, w + 2, depth, x[2]);
                fully_connected_s8_column(&a0, &a1, &a2, &a3, w + 3, depth, x[3]);
                x += 4;
                w += 4;
            }
            for (; left > 0; left--) {
                fully_connected_s8_column(&a0, &a1, &a2, &a3, w++, depth, *x++);
            }
            w += 3 * depth;
            output[unit] = fully_connected_s8_output(a0, unit, p);
            output[unit + 1] = fully_connected_s8_output(a1, unit + 1, p);
            output[unit + 2] = fully_connected_s8_output(a2, unit + 2, p);
            output[unit + 3] = fully_connected_s8_output(a3, unit + 3, p);
        }
        for (; unit < units; unit++) {
            int32_t a = p->bias[unit];
            const int8_t *x = input;
            int32_t left = depth;
            for (; left >= 4; left -= 4, w += 4, x += 4) {
                a += w[0] * x[0];
                a += w[1] * x[1];
                a += w[2] * x[2];
                a += w[3] * x[3];
            }
            for (; left > 0; left--) {
                a += *w++ * *x++;
            }
            output[unit] = fully_connected_s8_output(a, unit, p);
        }
        input += depth;
        output += units;
    }
}

#endif
