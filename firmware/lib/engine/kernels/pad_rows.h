/* SPDX-License-Identifier: Apache-2.0
 * PAD and PADV2: everything takes the padding's value, then the rows of the input go where they belong. Sizes and steps
 * are bytes.
 */
#ifndef TINYPROOF_KERNELS_PAD_ROWS_H
#define TINYPROOF_KERNELS_PAD_ROWS_H

#include "fill.h"

struct pad_rows {
    int32_t counts[4]; /* nested loops over the input's rows, outermost first */
    int32_t steps[4];  /* between rows in the output */
    int32_t row_bytes;
    int32_t offset; /* of the first row in the output */
    struct fill everything;
};

KERNEL_INLINE void pad_rows(const int8_t *input, const int8_t *value, int8_t *output, const struct pad_rows *p) {
    fill(value, output, &p->everything);
    output += p->offset;
    for (int32_t a = 0; a < p->counts[0]; a++) {
        for (int32_t b = 0; b < p->counts[1]; b++) {
            for (int32_t c = 0; c < p->counts[2]; c++) {
                int8_t *row = output + a * p->steps[0] + b * p->steps[1] + c * p->steps[2];
                for (int32_t left = p->counts[3]; left > 0; left--) {
                    memcpy(row, input, (size_t)p->row_bytes);
                    input += p->row_bytes;
                    row += p->steps[3];
                }
            }
        }
    }
}

#endif
