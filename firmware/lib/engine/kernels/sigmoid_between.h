/* SPDX-License-Identifier: Apache-2.0
 * A straight line between two entries of a table of int16.
 */
#ifndef TINYPROOF_KERNELS_SIGMOID_BETWEEN_H
#define TINYPROOF_KERNELS_SIGMOID_BETWEEN_H

#include "kernels/requantize.h"

/* `part` of `whole` from the first entry to the second, times `whole`. */
KERNEL_INLINE int32_t sigmoid_between(KERNEL_TABLE int16_t *entry, int32_t part, int32_t whole) {
    return entry[0] * (whole - part) + entry[1] * part;
}

#endif
