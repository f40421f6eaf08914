/* SPDX-License-Identifier: Apache-2.0
 * Rows that stay in a buffer move to its begin, where the next ones follow them.
 */
#ifndef TINYPROOF_KERNELS_MOVE_ROWS_H
#define TINYPROOF_KERNELS_MOVE_ROWS_H

#include "kernels/convolution.h"

#if KERNELS_GNU
typedef uint32_t __attribute__((may_alias)) rows_word;
#endif

/* To a lower address: `to` is aligned to 4, and what lies between both may be anything. */
KERNEL_SHARED void move_rows(int8_t *to, const int8_t *from, int32_t bytes) {
#if KERNELS_GNU
    if ((from - to) % 4 == 0) {
        rows_word *word = (rows_word *)(void *)to;
        const rows_word *next = (const rows_word *)(const void *)from;
        for (; bytes >= 16; bytes -= 16, word += 4, next += 4) {
            const rows_word first = next[0], second = next[1], third = next[2], fourth = next[3];
            word[0] = first;
            word[1] = second;
            word[2] = third;
            word[3] = fourth;
        }
        for (; bytes >= 4; bytes -= 4) {
            *word++ = *next++;
        }
        to = (int8_t *)word;
        from = (const int8_t *)next;
    }
#endif
    for (; bytes > 0; bytes--) {
        *to++ = *from++;
    }
}

#endif
