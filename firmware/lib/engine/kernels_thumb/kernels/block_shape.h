/* SPDX-License-Identifier: Apache-2.0
 * How much pairs_blocks.h keeps in registers: what the eight that Armv6-M computes with can hold.
 */
#ifndef TINYPROOF_KERNELS_BLOCK_SHAPE_H
#define TINYPROOF_KERNELS_BLOCK_SHAPE_H

enum {
    BLOCK_PAIRS_OF_ONE = 1, /* pairs of rows times one column */
    BLOCK_PAIRS_OF_TWO = 0, /* and times two, where there is such a block */
};

#endif
