/* SPDX-License-Identifier: Apache-2.0
 * Where depthwise_fours goes in depthwise_multiply.h.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_WALK_H
#define TINYPROOF_KERNELS_DEPTHWISE_WALK_H

#include <stdint.h>

struct depthwise_walk {
    uintptr_t offsets[2]; /* addresses: of the first tap's, and where they end */
    uintptr_t outputs[2]; /* the address of the input where the channels end, and bytes from one output to the next */
    int32_t rounding;
};

#endif
