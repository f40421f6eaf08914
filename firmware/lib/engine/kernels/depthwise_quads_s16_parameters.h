/* SPDX-License-Identifier: Apache-2.0
 * What depthwise_quads_s16 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_S16_PARAMETERS_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_S16_PARAMETERS_H

#include "kernels/convolution_s16.h"

/* Channels come in fours, and each makes one output channel; sums fit 32 bits. Scratch: 4 * taps + 2 * channels bytes,
 * aligned to 4. Per four channels, int16 and 32-bit numbers as two of them:
 *   bias of channels 0, 1, 2, 3
 *   weights [taps] of channels 0, 1, 2, 3
 *   multipliers of channels 0, 1, 2, 3, then shifts, both as in conv_rows_s16_parameters.h
 */
struct depthwise_quads_s16 {
    struct conv_window window;
    int32_t taps;     /* kernel_height * kernel_width, rounded up to a multiple of 3 */
    int32_t rounding; /* 1 + 2 * zero point of the output */
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int16_t *quads; /* aligned to 4 */
};

#endif
