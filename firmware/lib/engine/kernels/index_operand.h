/* SPDX-License-Identifier: Apache-2.0
 * Operands of int32 or int64 that say where something is, passed as bytes since they stand beside data of any type.
 */
#ifndef TINYPROOF_KERNELS_INDEX_OPERAND_H
#define TINYPROOF_KERNELS_INDEX_OPERAND_H

#include <string.h>

#include "requantize.h"

/* Within [0, limit]. */
KERNEL_INLINE int32_t clamp_index(int64_t index, int32_t limit) {
    if (index < 0) {
        return 0;
    }
    return index > limit ? limit : (int32_t)index;
}

/* Element `number` within [0, limit]; `bytes` is 4 or 8. */
KERNEL_INLINE int32_t clamped_index(const int8_t *operand, int32_t number, int32_t bytes, int32_t limit) {
    int64_t index;
    if (bytes == 8) {
        memcpy(&index, operand + 8 * number, 8);
    } else {
        int32_t narrow;
        memcpy(&narrow, operand + 4 * number, 4);
        index = narrow;
    }
    return clamp_index(index, limit);
}

#endif
