/* SPDX-License-Identifier: Apache-2.0
 * AVERAGE_POOL_2D, int8: the sum over the part of a window inside the input, divided by its number of elements, ties away
 * from zero. Bit-exact with TFLite Micro (reference/integer_ops/pooling.h), without a division.
 */
#ifndef TINYPROOF_KERNELS_AVERAGE_POOL_S8_H
#define TINYPROOF_KERNELS_AVERAGE_POOL_S8_H

#include "pooling.h"

struct average_pool_s8 {
    int32_t batches;
    int32_t channels;
    int32_t input_height;
    int32_t output_height;
    int32_t filter_height;
    int32_t stride_height;
    int32_t padding_height; /* above the first row */
    int32_t input_width;
    int32_t output_width;
    int32_t filter_width;
    int32_t stride_width;
    int32_t padding_width;
    int32_t clamp_min;
    int32_t clamp_max;
    int32_t first_count;                /* the tables begin with this number of elements */
    KERNEL_TABLE uint32_t *reciprocals; /* m / count is (m * reciprocal >> 31) >> shift */
    KERNEL_TABLE uint8_t *shifts;
};

KERNEL_INLINE int8_t average_pool_s8_output(int32_t sum, int32_t count, uint32_t reciprocal, uint32_t shift,
                                            const struct average_pool_s8 *p) {
    const uint32_t magnitude = (uint32_t)(sum < 0 ? -sum : sum) + (uint32_t)count / 2;
    const int32_t quotient = (int32_t)((uint32_t)((uint64_t)magnitude * reciprocal >> 31) >> shift);
    return clamp_s8(sum < 0 ? -quotient : quotient, p->clamp_min, p->clamp_max);
}

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void average_pool_s8(const int8_t *input, int8_t *output, const struct average_pool_s8 *p) {
    const int32_t channels = p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            const struct window rows =
                pooling_window(y, p->stride_height, p->padding_height, p->filter_height, p->input_height);
            for (int32_t x = 0; x < p->output_width; x++) {
                const struct window columns =
                    pooling_window(x, p->stride_width, p->padding_width, p->filter_width, p->input_width);
                const int8_t *corner = input + (rows.start * p->input_width + columns.start) * channels;
                const int32_t count = rows.count * columns.count;
                const uint32_t reciprocal = p->reciprocals[count - p->first_count];
                const uint32_t shift = p->shifts[count - p->first_count];
                for (int32_t channel = 0; channel < channels; channel++) {
                    const int8_t *row = corner + channel;
                    int32_t sum = 0;
                    for (int32_t i = rows.count; i > 0; i--) {
                        const int8_t *element = row;
                        for (int32_t j = columns.count; j > 0; j--) {
                            sum += *element;
                            element += channels;
                        }
                        row += p->input_width * channels;
                    }
                    *output++ = average_pool_s8_output(sum, count, reciprocal, shift, p);
                }
            }
        }
        input += p->input_height * p->input_width * channels;
    }
}

#endif
