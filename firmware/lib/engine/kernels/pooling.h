/* SPDX-License-Identifier: Apache-2.0
 * What the pooling kernels share: where a window begins and how far it reaches inside the input.
 */
#ifndef TINYPROOF_KERNELS_POOLING_H
#define TINYPROOF_KERNELS_POOLING_H

#include "requantize.h"

struct window {
    int32_t start; /* first element inside the input */
    int32_t count;
};

KERNEL_INLINE struct window pooling_window(int32_t output, int32_t stride, int32_t padding, int32_t filter,
                                           int32_t input_size) {
    const int32_t first = output * stride - padding;
    const int32_t start = first < 0 ? 0 : first;
    const int32_t end = first + filter > input_size ? input_size : first + filter;
    const struct window window = {start, end - start};
    return window;
}

#endif
