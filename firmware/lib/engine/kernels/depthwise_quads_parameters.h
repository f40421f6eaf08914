/* SPDX-License-Identifier: Apache-2.0
 * What depthwise_quads_s8 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_DEPTHWISE_QUADS_PARAMETERS_H
#define TINYPROOF_KERNELS_DEPTHWISE_QUADS_PARAMETERS_H

#include "kernels/convolution.h"

/* Channels, four or more, are taken in fours; where some are left, the last four are taken, of which others are then made
 * twice. So all of them make an output channel each, then the next one, `multiplier` times.
 * Scratch: 4 * taps + channels bytes, aligned to 4.
 * Per four channels, int16 and 32-bit numbers as two of them:
 *   bias of channels 0, 1, 2, 3; the input's zero point is folded in
 *   weights [taps] of channels 0, 2, 1, 3, as SXTB16 unpacks bytes
 *   multipliers of channels 0, 1, 2, 3, encoded as in requantize.h, then scalings as in pairs.h; the first has the flag
 *   PAIR_SHIFTS_LEFT for all four
 */
struct depthwise_quads_s8 {
    struct conv_window window;
    int32_t multiplier;   /* outputs of a channel lie side by side */
    int32_t taps;         /* kernel_height * kernel_width, rounded up to a multiple of 3 */
    int32_t rounding;     /* 1 + 2 * zero point of the output */
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int16_t *quads; /* aligned to 4 */
};

#endif
