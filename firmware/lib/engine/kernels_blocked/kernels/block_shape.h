/* SPDX-License-Identifier: Apache-2.0
 * How much pairs_blocks.h keeps in registers: what 13 of them can hold. kernels_riscv/ has it for more.
 */
#ifndef TINYPROOF_KERNELS_BLOCK_SHAPE_H
#define TINYPROOF_KERNELS_BLOCK_SHAPE_H

enum {
    BLOCK_PAIRS_OF_ONE = 2, /* pairs of rows times one column */
    BLOCK_PAIRS_OF_TWO = 1, /* and times two */
};

#endif
