/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D, int8, four channels at a time for cores with the DSP extension. Bit-exact with kernels/.
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOL_S8_H
#define TINYPROOF_KERNELS_AVERAGE_POOL_S8_H

#include "kernels/average_pool_s8_parameters.h"
#include "kernels/clamp_bytes.h"

enum { AVERAGE_POOL_HALVES = 256 }; /* elements whose sum fits int16 */

struct average_pool_sums {
    uint32_t even; /* of channels 0 and 2 */
    uint32_t odd;  /* of channels 1 and 3 */
};

KERNEL_INLINE struct average_pool_sums average_pool_s8_four(const int8_t *corner, int32_t rows, int32_t columns,
                                                            const struct average_pool_s8 *p) {
    struct average_pool_sums sums = {0, 0};
    POOLING_WINDOW(p, int8_t, {
        const uint32_t four = *(const loose_word *)x;
        sums.even = add_halves(sums.even, widen_even(four));
        sums.odd = add_halves(sums.odd, widen_odd(four));
    });
    return sums;
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void average_pool_s8(const int8_t *input, int8_t *output, const struct average_pool_s8 *p) {
    POOLING_WALK(p, int8_t, {
        AVERAGE_POOLING_DIVISOR(p);
        const int32_t fours = count <= AVERAGE_POOL_HALVES ? channels / 4 * 4 : 0;
        int32_t channel = 0;
        for (; channel < fours; channel += 4, corner += 4) {
            const struct average_pool_sums sums = average_pool_s8_four(corner, rows.count, columns.count, p);
            output[channel] = (int8_t)average_pooling_divide((int16_t)(sums.even & 0xffff), count, reciprocal, shift);
            output[channel + 1] =
                (int8_t)average_pooling_divide((int16_t)(sums.odd & 0xffff), count, reciprocal, shift);
            output[channel + 2] = (int8_t)average_pooling_divide((int16_t)(sums.even >> 16), count, reciprocal, shift);
            output[channel + 3] = (int8_t)average_pooling_divide((int16_t)(sums.odd >> 16), count, reciprocal, shift);
        }
        for (; channel < channels; channel++, corner++) {
            const int32_t sum = average_pool_s8_sum(corner, rows.count, columns.count, p);
            output[channel] = (int8_t)average_pooling_divide(sum, count, reciprocal, shift);
        }
        clamp_bytes(output, channels, p->clamp_min, p->clamp_max);
    });
}

#endif
