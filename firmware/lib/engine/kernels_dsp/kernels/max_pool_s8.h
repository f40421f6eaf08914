/* SPDX-License-Identifier: Apache-2.0
 * MAX_POOL_2D, int8, four channels at a time for cores with the DSP extension. Bit-exact with kernels/.
 */
#ifndef TINYPROOF_KERNELS_MAX_POOL_S8_H
#define TINYPROOF_KERNELS_MAX_POOL_S8_H

#include "kernels/dsp.h"
#include "kernels/max_pool_s8_parameters.h"

KERNEL_INLINE int32_t max_pool_s8_largest(const int8_t *corner, int32_t rows, int32_t columns,
                                          const struct max_pool_s8 *p) {
    int32_t largest = INT8_MIN;
    POOLING_WINDOW(p, int8_t, largest = *x > largest ? *x : largest);
    return clamp_s32(largest, p->clamp_min, p->clamp_max);
}

/* Four channels. */
KERNEL_INLINE uint32_t max_pool_s8_four(const int8_t *corner, int32_t rows, int32_t columns,
                                        const struct max_pool_s8 *p) {
    uint32_t largest = (uint32_t)(p->clamp_min & 0xff) * 0x01010101U;
    const uint32_t most = (uint32_t)(p->clamp_max & 0xff) * 0x01010101U;
    POOLING_WINDOW(p, int8_t, largest = greatest_bytes(*(const loose_word *)x, largest));
    return least_bytes(largest, most);
}

/* The last four channels may overlap those before: the greatest of an answer and what it was made of is the answer. */
KERNEL_INLINE void max_pool_s8_fours(const int8_t *input, int8_t *output, const struct max_pool_s8 *p) {
    POOLING_WALK(p, int8_t, {
        for (int32_t channel = 0; channel < channels; channel += 4) {
            const int32_t place = channel + 4 > channels ? channels - 4 : channel;
            *(loose_word *)(output + place) = max_pool_s8_four(corner + place, rows.count, columns.count, p);
        }
    });
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void max_pool_s8(const int8_t *input, int8_t *output, const struct max_pool_s8 *p) {
    if (p->channels >= 4) {
        max_pool_s8_fours(input, output, p);
        return;
    }
    POOLING(p, int8_t, , max_pool_s8_largest(corner, rows.count, columns.count, p));
}

#endif
