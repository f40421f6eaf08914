/* SPDX-License-Identifier: Apache-2.0
 * A straight line between two entries of a table of int16, both at once, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_SIGMOID_BETWEEN_H
#define TINYPROOF_KERNELS_SIGMOID_BETWEEN_H

#include "kernels/dsp.h"

/* `part` of `whole` from the first entry to the second, times `whole`. */
KERNEL_INLINE int32_t sigmoid_between(KERNEL_TABLE int16_t *entry, int32_t part, int32_t whole) {
    const int32_t entries = (int32_t)*(const loose_word *)entry;
    const int32_t shares = (part << 16) + (whole - part);
    int32_t y;
    __asm__("smuad %0, %1, %2" : "=r"(y) : "r"(entries), "r"(shares));
    return y;
}

#endif
