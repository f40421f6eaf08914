/* SPDX-License-Identifier: Apache-2.0
 * What max_pool_s8 knows of its layer, on any core.
 */
#ifndef TINYPROOF_KERNELS_MAX_POOL_S8_PARAMETERS_H
#define TINYPROOF_KERNELS_MAX_POOL_S8_PARAMETERS_H

#include "kernels/pooling.h"

struct max_pool_s8 {
    POOLING_SIZES;
};

#endif
