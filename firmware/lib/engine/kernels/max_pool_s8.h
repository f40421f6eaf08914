/* SPDX-License-Identifier: Apache-2.0
 * MAX_POOL_2D, int8. Bit-exact with TFLite Micro (reference/integer_ops/pooling.h).
 */
#ifndef TINYPROOF_KERNELS_MAX_POOL_S8_H
#define TINYPROOF_KERNELS_MAX_POOL_S8_H

#include "pooling.h"

struct max_pool_s8 {
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
};

/* `output` may be the same as `input` where no window starts before its answer's place. */
KERNEL_INLINE void max_pool_s8(const int8_t *input, int8_t *output, const struct max_pool_s8 *p) {
    const int32_t channels = p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->output_height; y++) {
            const struct window rows =
                pooling_window(y, p->stride_height, p->padding_height, p->filter_height, p->input_height);
            for (int32_t x = 0; x < p->output_width; x++) {
                const struct window columns =
                    pooling_window(x, p->stride_width, p->padding_width, p->filter_width, p->input_width);
                const int8_t *corner = input + (rows.start * p->input_width + columns.start) * channels;
                for (int32_t channel = 0; channel < channels; channel++) {
                    const int8_t *row = corner + channel;
                    int32_t largest = INT8_MIN;
                    for (int32_t i = rows.count; i > 0; i--) {
                        const int8_t *element = row;
                        for (int32_t j = columns.count; j > 0; j--) {
                            largest = *element > largest ? *element : largest;
                            element += channels;
                        }
                        row += p->input_width * channels;
                    }
                    *output++ = clamp_s8(largest, p->clamp_min, p->clamp_max);
                }
            }
        }
        input += p->input_height * p->input_width * channels;
    }
}

#endif
