/* SPDX-License-Identifier: Apache-2.0
 * A row of bytes as the vector that four_rows_multiply takes.
 */
#ifndef TINYPROOF_KERNELS_FOUR_ROWS_INPUT_H
#define TINYPROOF_KERNELS_FOUR_ROWS_INPUT_H

#include "kernels/four_rows.h"

/* What fills up the last four is left as it is: its weights are 0. */
KERNEL_INLINE void four_rows_input(int16_t *to, const int8_t *from, int32_t count) {
    four_rows_widen(to, from, count / 4);
    for (int32_t i = count & ~3; i < count; i++) {
        to[(i & ~3) | (i & 1) << 1 | (i >> 1 & 1)] = from[i];
    }
}

#endif
