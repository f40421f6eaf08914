/* SPDX-License-Identifier: Apache-2.0
 * What the pooling kernels share: the walk over windows, and of each the part that lies inside the input.
 */
#ifndef TINYPROOF_KERNELS_POOLING_H
#define TINYPROOF_KERNELS_POOLING_H

#include "broadcast.h"

/* Members of a kernel's parameter struct. */
#define POOLING_SIZES                                                                                                  \
    int32_t batches;                                                                                                   \
    int32_t channels;                                                                                                  \
    int32_t input_height;                                                                                              \
    int32_t output_height;                                                                                             \
    int32_t filter_height;                                                                                             \
    int32_t stride_height;                                                                                             \
    int32_t padding_height; /* above the first row */                                                                  \
    int32_t input_width;                                                                                               \
    int32_t output_width;                                                                                              \
    int32_t filter_width;                                                                                              \
    int32_t stride_width;                                                                                              \
    int32_t padding_width;                                                                                             \
    int32_t clamp_min;                                                                                                 \
    int32_t clamp_max

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

/* For every window, `rows` by `columns`: runs `pixel`, with `corner` pointing to channel 0 of its first element and
 * `output` to that of its answer. */
#define POOLING_WALK(p, type, pixel)                                                                                   \
    do {                                                                                                               \
        const int32_t channels = (p)->channels;                                                                        \
        for (int32_t batch = (p)->batches; batch > 0; batch--) {                                                       \
            for (int32_t y = 0; y < (p)->output_height; y++) {                                                         \
                const struct window rows =                                                                             \
                    pooling_window(y, (p)->stride_height, (p)->padding_height, (p)->filter_height, (p)->input_height); \
                for (int32_t x = 0; x < (p)->output_width; x++, output += channels) {                                  \
                    const struct window columns =                                                                      \
                        pooling_window(x, (p)->stride_width, (p)->padding_width, (p)->filter_width, (p)->input_width); \
                    const type *corner = input + (rows.start * (p)->input_width + columns.start) * channels;           \
                    pixel;                                                                                             \
                }                                                                                                      \
            }                                                                                                          \
            input += (p)->input_height * (p)->input_width * channels;                                                  \
        }                                                                                                              \
    } while (0)

/* For every window runs `open`, then for every channel sets the answer to `value`, with `corner` pointing to the channel's
 * first element in it. `output` may be the same as `input` where no window starts before its answer's place. */
#define POOLING(p, type, open, value)                                                                                  \
    POOLING_WALK(p, type, {                                                                                            \
        open;                                                                                                          \
        for (int32_t channel = 0; channel < channels; channel++, corner++) {                                           \
            output[channel] = (type)(value);                                                                           \
        }                                                                                                              \
    })

/* Runs `statement` for every element of one channel of a window, with `x` pointing there. */
#define POOLING_WINDOW(p, type, statement)                                                                             \
    do {                                                                                                               \
        const type *line = corner;                                                                                     \
        for (int32_t i = rows; i > 0; i--, line += (p)->input_width * (p)->channels) {                                 \
            const type *x = line;                                                                                      \
            for (int32_t j = columns; j > 0; j--, x += (p)->channels) {                                                \
                statement;                                                                                             \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#endif
