/* SPDX-License-Identifier: Apache-2.0
 * What conv_rows_s16 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_CONV_ROWS_S16_PARAMETERS_H
#define TINYPROOF_KERNELS_CONV_ROWS_S16_PARAMETERS_H

#include "kernels/convolution_s16.h"

/* Scratch: 4 * depth bytes, aligned to 4; of one pixel alone 2 * depth. Per pair of output channels, an odd last one
 * paired with zeros:
 *   weights: of each four places along the depth those of the first channel, then those of the second, both in the order
 *     0, 2, 1, 3 as SXTB16 unpacks bytes on cores with the DSP extension
 *   scales: bias a, bias b, multiplier a, multiplier b, shift a, shift b; sums begin with the bias and are proven to fit
 *     32 bits. A multiplier is TFLite Micro's of 15 bits times 2^16, and a shift is how far the product's upper word goes
 *     to the right, less one: y = floor((upper / 2^shift + 1) / 2)
 */
struct conv_rows_s16 {
    struct conv_window window;
    int32_t depth;    /* kernel_height * kernel_width * channels, rounded up to a multiple of 8 */
    int32_t units;    /* output channels */
    int32_t rounding; /* 1 + 2 * zero point of the output */
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights; /* aligned to 4 */
    KERNEL_TABLE int32_t *scales;
};

enum { CONV_ROWS_SCALES = 6 }; /* of a pair */

/* The input under the kernel. Two elements make a word; `step` is the distance of words in elements: 2, or 4 between two
 * columns. Returns what comes behind.
 */
KERNEL_INLINE int32_t gather_column_s16(int16_t *column, int32_t step, const struct pixel_s16 *at,
                                        const struct conv_window *w) {
    int32_t place = 0;
    for (int32_t ky = 0; ky < w->kernel_height; ky++) {
        for (int32_t kx = 0; kx < w->kernel_width; kx++) {
            const int32_t inside = is_inside(at, w, ky, kx);
            const int16_t *tap = at->image + (inside ? tap_offset(at, w, ky, kx) : 0);
            for (int32_t c = 0; c < w->channels; c++) {
                column[place] = inside ? tap[c] : (int16_t)0;
                place += place % 2 ? step - 1 : 1;
            }
        }
    }
    return place;
}

#endif
