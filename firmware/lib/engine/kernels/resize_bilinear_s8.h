/* SPDX-License-Identifier: Apache-2.0
 * RESIZE_BILINEAR, int8: each output lies between two rows and two columns, with weights of 1/1024.
 * Source: tflite-micro, tensorflow/lite/kernels/internal/reference/resize_bilinear.h, ResizeBilinearInteger.
 */
#ifndef TINYPROOF_KERNELS_RESIZE_BILINEAR_S8_H
#define TINYPROOF_KERNELS_RESIZE_BILINEAR_S8_H

#include "requantize.h"

struct resize_bilinear_s8 {
    int32_t batches;
    int32_t batch_bytes; /* of the input */
    int32_t height;      /* of the output */
    int32_t width;
    int32_t depth;
    KERNEL_TABLE int32_t *rows;    /* for each: places of two rows in the input, the second one's weight */
    KERNEL_TABLE int32_t *columns; /* the same for the places in a row */
};

KERNEL_INLINE void resize_bilinear_s8(const int8_t *input, int8_t *output, const struct resize_bilinear_s8 *p) {
    for (int32_t batch = 0; batch < p->batches; batch++, input += p->batch_bytes) {
        KERNEL_TABLE int32_t *row = p->rows;
        for (int32_t y = 0; y < p->height; y++, row += 3) {
            const int8_t *above = input + row[0], *below = input + row[1];
            const int32_t down = row[2];
            KERNEL_TABLE int32_t *column = p->columns;
            for (int32_t x = 0; x < p->width; x++, column += 3) {
                const int8_t *a = above + column[0], *b = above + column[1];
                const int8_t *c = below + column[0], *d = below + column[1];
                const int32_t right = column[2];
                for (int32_t left = p->depth; left > 0; left--) {
                    const int32_t upper = *a++ * (1024 - right) + *b++ * right;
                    const int32_t lower = *c++ * (1024 - right) + *d++ * right;
                    const int32_t sum = upper * (1024 - down) + lower * down;
                    /* Rounded, ties away from zero; right shifts of negative numbers are arithmetic. */
                    *output++ = (int8_t)((sum + (INT32_C(1) << 19) - (sum < 0)) >> 20);
                }
            }
        }
    }
}

#endif
