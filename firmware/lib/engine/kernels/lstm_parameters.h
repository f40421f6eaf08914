/* SPDX-License-Identifier: Apache-2.0
 * What lstm knows of its layer; the plain kernel and the one for DSP extensions share it.
 */
#ifndef TINYPROOF_KERNELS_LSTM_PARAMETERS_H
#define TINYPROOF_KERNELS_LSTM_PARAMETERS_H

#include <string.h>

#include "kernels/requantize.h"
#include "kernels/sigmoid_s16.h"

/* A factor as requantize.h has it; for sums of 64 bits 15 bits of multiplier and a shift to the right. */
struct lstm_factor {
    int32_t multiplier;
    int32_t shift;
};

/* Gates in their order: forget, input, cell, output. Scratch: 8 * (input_groups + hidden_groups) bytes. */
struct lstm {
    int32_t wide;          /* 0: input and output are int8, 1: int16 with biases of 64 bits */
    int32_t batches;
    int32_t steps;
    int32_t depth;         /* elements of an input at one step */
    int32_t units;         /* elements of an output at one step */
    int32_t input_groups;  /* of four elements */
    int32_t hidden_groups;
    int32_t input_batch_bytes; /* from one batch to the next, from one step to the next */
    int32_t input_step_bytes;
    int32_t output_batch_bytes;
    int32_t output_step_bytes;
    int32_t gates_shift_right; /* 1: all shifts of the gates' factors go to the right */
    int32_t clip; /* of the cell; -1: none */
    int32_t tanh_multiplier;
    int32_t tanh_shift;
    int32_t zero_point; /* of the output */
    int32_t min;
    int32_t max;
    struct lstm_factor input[4];  /* of each gate */
    struct lstm_factor hidden[4];
    struct lstm_factor forget; /* forget gate x cell */
    struct lstm_factor update; /* input gate x cell gate */
    struct lstm_factor output; /* output gate x tanh(cell) */
    KERNEL_TABLE int16_t *weights; /* [units][input groups, hidden groups][4 gates][4] */
    KERNEL_TABLE int32_t *biases;  /* [units][4 + 4], zero points folded in; two words for each, low first, if wide */
    KERNEL_TABLE int16_t *sigmoid; /* see sigmoid_s16.h */
};

struct lstm_sums {
    int32_t gate[4];
};

#endif
