/* SPDX-License-Identifier: Apache-2.0
 * MIRROR_PAD, RESIZE_NEAREST_NEIGHBOR and BATCH_TO_SPACE_ND: each dimension of the output has a list of places in the
 * input, and a row lies where the places of its dimensions add up to. Sizes and places are bytes.
 */
#ifndef TINYPROOF_KERNELS_LISTED_COPY_H
#define TINYPROOF_KERNELS_LISTED_COPY_H

#include <string.h>

#include "requantize.h"

struct listed_copy {
    int32_t dimensions;
    int32_t counts[8]; /* of the output, outermost first */
    int32_t row_bytes; /* of what lies together in both */
    KERNEL_TABLE int32_t *places; /* the lists one after the other */
};

KERNEL_INLINE void listed_copy(const int8_t *input, int8_t *output, const struct listed_copy *p) {
    const int32_t last = p->dimensions - 1;
    int32_t index[8] = {0};
    for (;;) {
        KERNEL_TABLE int32_t *list = p->places;
        int32_t place = 0;
        for (int32_t k = 0; k < last; list += p->counts[k], k++) {
            place += list[index[k]];
        }
        for (int32_t i = 0; i < p->counts[last]; i++, output += p->row_bytes) {
            memcpy(output, input + place + list[i], (size_t)p->row_bytes);
        }
        int32_t k = last - 1;
        for (; k >= 0 && ++index[k] == p->counts[k]; k--) {
            index[k] = 0;
        }
        if (k < 0) {
            return;
        }
    }
}

#endif
