/* SPDX-License-Identifier: Apache-2.0
 * A tensor moves to another place, most often a higher one, which may overlap the one where it was.
 */
#ifndef TINYPROOF_KERNELS_MOVE_UP_H
#define TINYPROOF_KERNELS_MOVE_UP_H

#include "kernels/move_rows.h"

struct move_up {
    int32_t bytes;
};

/* Both are aligned to 4, where there are 4 bytes. Upwards from the end on. */
KERNEL_SHARED void move_up(const int8_t *input, int8_t *output, const struct move_up *p) {
    int32_t left = p->bytes;
    if (output <= input) {
        move_rows(output, input, left);
        return;
    }
#if KERNELS_GNU
    for (; left % 4 != 0; left--) {
        output[left - 1] = input[left - 1];
    }
    rows_word *word = (rows_word *)(void *)(output + left);
    const rows_word *from = (const rows_word *)(const void *)(input + left);
    for (; left >= 16; left -= 16) {
        word -= 4;
        from -= 4;
        const rows_word first = from[0], second = from[1], third = from[2], fourth = from[3];
        word[3] = fourth;
        word[2] = third;
        word[1] = second;
        word[0] = first;
    }
    for (; left > 0; left -= 4) {
        *--word = *--from;
    }
#else
    for (; left > 0; left--) {
        output[left - 1] = input[left - 1];
    }
#endif
}

#endif
