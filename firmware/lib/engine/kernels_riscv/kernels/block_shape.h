/* SPDX-License-Identifier: Apache-2.0
 * How much pairs_blocks.h keeps in registers: all that 32 of them can hold.
 */
#ifndef TINYPROOF_KERNELS_BLOCK_SHAPE_H
#define TINYPROOF_KERNELS_BLOCK_SHAPE_H

enum {
    BLOCK_PAIRS_OF_ONE = 4, /* pairs of rows times one column */
    BLOCK_PAIRS_OF_TWO = 2, /* and times two */
};

#endif
