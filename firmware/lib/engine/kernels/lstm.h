/* SPDX-License-Identifier: Apache-2.0
 * UNIDIRECTIONAL_SEQUENCE_LSTM, int8 or int16, weights int8 and cell int16. Bit-exact with TFLite Micro's reference
 * kernel (micro/kernels/lstm_eval.h). All four gates of a unit at once, so that no gate is kept; an output is written
 * where the next step reads it.
 */
#ifndef TINYPROOF_KERNELS_LSTM_H
#define TINYPROOF_KERNELS_LSTM_H

#include <string.h>

#include "kernels/four_rows_input.h"
#include "kernels/sigmoid_s16.h"

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
    struct factor input[4];  /* of each gate */
    struct factor hidden[4];
    struct factor forget; /* forget gate x cell */
    struct factor update; /* input gate x cell gate */
    struct factor output; /* output gate x tanh(cell) */
    KERNEL_TABLE int16_t *weights; /* [units][input groups, hidden groups][4 gates][4] */
    KERNEL_TABLE int32_t *biases;  /* [units][4 + 4], zero points folded in; two words for each, low first, if wide */
    KERNEL_TABLE int16_t *sigmoid; /* see sigmoid_s16.h */
};

/* One row of int8 or int16 as int16, in the order of the weights. */
KERNEL_INLINE void lstm_row(int16_t *to, const int8_t *from, int32_t count, int32_t wide) {
    if (wide) {
        memcpy(to, from, 2U * (size_t)count);
    } else {
        four_rows_input(to, from, count);
    }
}

/* A sum and its bias, which is in the sum already unless wide, rescaled to 3.12. */
KERNEL_INLINE int32_t lstm_level(int32_t sum, KERNEL_TABLE int32_t *bias, const struct factor *factor,
                                 const struct lstm *p) {
    if (p->wide) {
        const int64_t long_bias = (int64_t)((uint64_t)(uint32_t)bias[0] | (uint64_t)(uint32_t)bias[1] << 32);
        const int64_t product = (sum + long_bias) * factor->multiplier;
        return saturate_s16((int32_t)((product + (INT64_C(1) << (factor->shift - 1))) >> factor->shift));
    }
    if (p->gates_shift_right) {
        return rescale_s16(sum, factor->multiplier, factor->shift);
    }
    return saturate_s16(requantize(sum, factor->multiplier, factor->shift, 0, 0));
}

/* Clamped 3.12 of one gate, three times as much: the unit of sigmoid_s16.h, within the table of LOGISTIC. */
KERNEL_INLINE int32_t lstm_gate(int32_t gate, const struct four_sums *a, const struct four_sums *b,
                                KERNEL_TABLE int32_t *bias, const struct lstm *p) {
    return 3 * saturate_s16(lstm_level(a->sum[gate], bias + 2 * gate, &p->input[gate], p) +
                            lstm_level(b->sum[gate], bias + 2 * (4 + gate), &p->hidden[gate], p));
}

/* Everything that belongs to one unit; returns its output. */
KERNEL_INLINE int32_t lstm_unit(int16_t *cell, const struct four_sums *a, const struct four_sums *b,
                                KERNEL_TABLE int32_t *bias, const struct lstm *p) {
    const int32_t forget = sigmoid_within_s16(lstm_gate(0, a, b, bias, p), p->sigmoid);
    const int32_t update = sigmoid_within_s16(lstm_gate(1, a, b, bias, p), p->sigmoid);
    const int32_t candidate = tanh_between_s16(lstm_gate(2, a, b, bias, p), p->sigmoid);
    const int32_t output = sigmoid_within_s16(lstm_gate(3, a, b, bias, p), p->sigmoid);
    int32_t c = rescale_s16(forget * *cell, p->forget.multiplier, p->forget.shift);
    c += rescale_s16(update * candidate, p->update.multiplier, p->update.shift);
    c = saturate_s16(c);
    if (p->clip >= 0) {
        c = c < -p->clip ? -p->clip : c;
        c = c > p->clip ? p->clip : c;
    }
    *cell = (int16_t)c;
    const int32_t t = (c * p->tanh_multiplier + (INT32_C(1) << p->tanh_shift >> 1)) >> p->tanh_shift;
    const int32_t product = tanh_between_s16(t, p->sigmoid) * output;
    int32_t y = requantize(product, p->output.multiplier, p->output.shift, 1, p->zero_point);
    y = y < p->min ? p->min : y;
    return y > p->max ? p->max : y;
}

/* Biases of 64 bits are added later. */
KERNEL_INLINE struct four_sums lstm_begin(KERNEL_TABLE int32_t *bias, const struct lstm *p) {
    if (p->wide) {
        return (struct four_sums){{0, 0, 0, 0}};
    }
    return (struct four_sums){{bias[0], bias[1], bias[2], bias[3]}};
}

KERNEL_INLINE void lstm_step(const int16_t *x, int16_t *cell, int8_t *output, const struct lstm *p) {
    KERNEL_TABLE int16_t *weights = p->weights;
    KERNEL_TABLE int32_t *bias = p->biases;
    const int16_t *hidden = x + 4 * p->input_groups;
    for (int32_t unit = 0; unit < p->units; unit++) {
        struct four_sums a = lstm_begin(bias, p), b = lstm_begin(bias + 4, p);
        four_rows_multiply(&a, weights, x, p->input_groups);
        weights += 16 * p->input_groups;
        four_rows_multiply(&b, weights, hidden, p->hidden_groups);
        weights += 16 * p->hidden_groups;
        const int32_t y = lstm_unit(cell + unit, &a, &b, bias, p);
        bias += 8 * (1 + p->wide);
        if (p->wide) {
            ((int16_t *)(void *)output)[unit] = (int16_t)y;
        } else {
            output[unit] = (int8_t)y;
        }
    }
}

static KERNEL_NOINLINE void lstm(const int8_t *input, int8_t *output, int8_t *hidden, int8_t *cell, int8_t *scratch,
                                 const struct lstm *p) {
    int16_t *x = (int16_t *)(void *)scratch;
    int16_t *h = x + 4 * p->input_groups;
    int16_t *c = (int16_t *)(void *)cell;
    const size_t row = (size_t)p->units << p->wide;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        const int8_t *in = input + batch * p->input_batch_bytes;
        int8_t *out = output + batch * p->output_batch_bytes;
        lstm_row(h, hidden, p->units, p->wide);
        for (int32_t step = 0; step < p->steps; step++) {
            lstm_row(x, in, p->depth, p->wide);
            lstm_step(x, c, out, p);
            lstm_row(h, out, p->units, p->wide);
            in += p->input_step_bytes;
            out += p->output_step_bytes;
        }
        memcpy(hidden, out - p->output_step_bytes, row);
        hidden += row;
        c += p->units;
    }
}

#endif
