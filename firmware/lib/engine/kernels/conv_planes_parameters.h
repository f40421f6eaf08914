/* SPDX-License-Identifier: Apache-2.0
 * What conv_planes_s8 knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_CONV_PLANES_PARAMETERS_H
#define TINYPROOF_KERNELS_CONV_PLANES_PARAMETERS_H

#include "kernels/convolution.h"
#include "kernels/pairs.h"

/* Input channels come in groups, and of each group so many output channels are made. The exporter may have exchanged x
 * and y, so that steps in the input and the output are said apart; they count bytes.
 *
 * Scratch, aligned to 4: `plane` int16, `group_units` * `sums` int32, and 12 bytes for each two weights of a channel,
 * at least 4 for each weight.
 */
struct conv_planes_s8 {
    struct conv_window window; /* dilation_x is 1, or stride_x is */
    int32_t input_step_x;
    int32_t input_step_y;
    int32_t input_image; /* from one image to the next */
    int32_t output_step_x;
    int32_t output_step_y;
    int32_t groups;
    int32_t group_channels;
    int32_t group_units;
    int32_t strip;  /* output rows at a time, at most; */
    int32_t first;  /* where outputs may lie over inputs, the first times fewer: so many, */
    int32_t growth; /* and so many more for each row that is done */
    int32_t part;  /* outputs of a row at a time; with a dilation, of those with one remainder */
    int32_t phase_outputs; /* of a row at most that have one remainder by the dilation, */
    int32_t long_phases;   /* and how many remainders have so many */
    int32_t pitch; /* int16 of a plane's row, even */
    int32_t plane; /* int16 of a strip's input of one channel, even */
    int32_t sums;  /* int32 of a strip's output of one channel, a multiple of 4, or 0 where groups have one */
    /* int32 from one row of sums to the next. Where it is `pitch` and strides are 1, all rows are one for the inner loop. */
    int32_t sums_pitch;
    int32_t in_place; /* outputs may begin where inputs do: rows that they lie over too early are copied then */
    int32_t rounding; /* 1 + 2 * zero point of the output */
    int32_t clamp_min;
    int32_t clamp_max;
    KERNEL_TABLE int8_t *weights; /* [groups][group_units][group_channels][kernel_height][kernel_width] */
    KERNEL_TABLE int32_t *scales; /* of each output channel UNIT_SCALES */
};

/* Bias with the input's zero point folded in, multiplier, scaling: see pairs.h. */
enum { UNIT_SCALES = 3 };

#endif
