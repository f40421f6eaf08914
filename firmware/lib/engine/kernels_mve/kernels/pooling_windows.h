/* SPDX-License-Identifier: Apache-2.0
 * The walk of pooling kernels that take all channels of a window at once.
 */
#ifndef TINYPROOF_KERNELS_POOLING_WINDOWS_H
#define TINYPROOF_KERNELS_POOLING_WINDOWS_H

#include "kernels/pooling.h"

/* Calls `pool(corner, rows, columns, output, p)` for every window, see POOLING. */
#define POOLING_WINDOWS(p, pool)                                                                                       \
    for (int32_t batch = (p)->batches; batch > 0; batch--) {                                                           \
        for (int32_t y = 0; y < (p)->output_height; y++) {                                                             \
            const struct window rows =                                                                                 \
                pooling_window(y, (p)->stride_height, (p)->padding_height, (p)->filter_height, (p)->input_height);     \
            for (int32_t x = 0; x < (p)->output_width; x++) {                                                          \
                const struct window columns =                                                                          \
                    pooling_window(x, (p)->stride_width, (p)->padding_width, (p)->filter_width, (p)->input_width);     \
                const int32_t place = rows.start * (p)->input_width + columns.start;                                   \
                pool(input + place * (p)->channels, rows.count, columns.count, output, p);                             \
                output += (p)->channels;                                                                               \
            }                                                                                                          \
        }                                                                                                              \
        input += (p)->input_height * (p)->input_width * (p)->channels;                                                 \
    }

#endif
