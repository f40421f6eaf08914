/* SPDX-License-Identifier: Apache-2.0
 * What rescale_s16_s8.h and its like share: QUANTIZE, RELU, RELU6, LEAKY_RELU and ABS of elements wider than a byte.
 */
#ifndef TINYPROOF_KERNELS_RESCALE_H
#define TINYPROOF_KERNELS_RESCALE_H

#include "broadcast.h"

/* Members of a kernel's parameter struct. */
#define RESCALE_FACTORS                                                                                                \
    int32_t count;                                                                                                     \
    int32_t input_zero_point;                                                                                          \
    int32_t multiplier1; /* from the zero point on: encoded as in requantize.h, like the shifts */                     \
    int32_t shift1;                                                                                                    \
    int32_t sign2; /* below it, of what is rescaled: 1 or -1 */                                                        \
    int32_t multiplier2;                                                                                               \
    int32_t shift2;                                                                                                    \
    int32_t zero_point;                                                                                                \
    int32_t clamp_min;                                                                                                 \
    int32_t clamp_max

/* One element. The zero point is added apart: what is rescaled may fill 32 bits. */
#define RESCALE(p, x)                                                                                                  \
    clamp_s32(((x) >= (p)->input_zero_point                                                                            \
                   ? requantize((x) - (p)->input_zero_point, (p)->multiplier1, (p)->shift1, 0, 0)                      \
                   : requantize((p)->sign2 * ((x) - (p)->input_zero_point), (p)->multiplier2, (p)->shift2, 0, 0)) +    \
                  (p)->zero_point,                                                                                     \
              (p)->clamp_min, (p)->clamp_max)

#endif
