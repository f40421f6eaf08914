/* SPDX-License-Identifier: Apache-2.0
 * UNIDIRECTIONAL_SEQUENCE_LSTM, int8 or int16, weights int8 and cell int16. Bit-exact with TFLite Micro's reference
 * kernel (micro/kernels/lstm_eval.h). All four gates of a unit at once, so that no gate is kept; an output is written
 * where the next step reads it.
 */
#ifndef TINYPROOF_KERNELS_LSTM_H
#define TINYPROOF_KERNELS_LSTM_H

#include "kernels/lstm_multiply.h"

/* One row of int8 or int16 as int16, in the order of the weights: 0, 2, 1, 3 of each four int8. */
KERNEL_INLINE void lstm_row(int16_t *to, const int8_t *from, int32_t count, int32_t wide) {
    if (wide) {
        memcpy(to, from, 2U * (size_t)count);
        return;
    }
    lstm_widen(to, from, count / 4);
    for (int32_t i = count & ~3; i < count; i++)
        to[(i & ~3) | (i & 1) << 1 | (i >> 1 & 1)] = from[i];
}

/* A sum and its bias, which is in the sum already unless wide, rescaled to 3.12. */
KERNEL_INLINE int32_t lstm_level(int32_t sum, KERNEL_TABLE int32_t *bias, const struct lstm_factor *factor,
                                 const struct lstm *p) {
    if (p->wide) {
        const int64_t long_bias = (int64_t)((uint64_t)(uint32_t)bias[0] | (uint64_t)(uint32_t)bias[1] << 32);
        const int64_t product = (sum + long_bias) * factor->multiplier;
        return lstm_saturate((int32_t)((product + (INT64_C(1) << (factor->shift - 1))) >> factor->shift));
    }
    if (p->gates_shift_right)
        return lstm_rescale(sum, factor->multiplier, factor->shift);
    return lstm_saturate(requantize(sum, factor->multiplier, factor->shift, 0, 0));
}

/* Clamped 3.12 of one gate, three times as much: the unit of sigmoid_s16.h, within the table of LOGISTIC. */
KERNEL_INLINE int32_t lstm_gate(int32_t gate, const struct lstm_sums *a, const struct lstm_sums *b,
                                KERNEL_TABLE int32_t *bias, const struct lstm *p) {
    return 3 * lstm_saturate(lstm_level(a->gate[gate], bias + 2 * gate, &p->input[gate], p) +
                             lstm_level(b->gate[gate], bias + 2 * (4 + gate), &p->hidden[gate], p));
}

/* Everything that belongs to one unit; returns its output. */
KERNEL_INLINE int32_t lstm_unit(int16_t *cell, const struct lstm_sums *a, const struct lstm_sums *b,
                                KERNEL_TABLE int32_t *bias, const struct lstm *p) {
    const int32_t forget = sigmoid_within_s16(lstm_gate(0, a, b, bias, p), p->sigmoid);
    const int32_t update = sigmoid_within_s16(lstm_gate(1, a, b, bias, p), p->sigmoid);
    const int32_t candidate = tanh_s16(lstm_gate(2, a, b, bias, p), p->sigmoid);
    const int32_t output = sigmoid_within_s16(lstm_gate(3, a, b, bias, p), p->sigmoid);
    int32_t c = lstm_rescale(forget * *cell, p->forget.multiplier, p->forget.shift);
    c += lstm_rescale(update * candidate, p->update.multiplier, p->update.shift);
    c = lstm_saturate(c);
    if (p->clip >= 0) {
        c = c < -p->clip ? -p->clip : c;
        c = c > p->clip ? p->clip : c;
    }
    *cell = (int16_t)c;
    const int32_t t = (c * p->tanh_multiplier + (INT32_C(1) << p->tanh_shift >> 1)) >> p->tanh_shift;
    const int32_t product = tanh_s16(t, p->sigmoid) * output;
    int32_t y = requantize(product, p->output.multiplier, p->output.shift, 1, p->zero_point);
    y = y < p->min ? p->min : y;
    return y > p->max ? p->max : y;
}

/* Biases of 64 bits are added later. */
KERNEL_INLINE struct lstm_sums lstm_begin(KERNEL_TABLE int32_t *bias, const struct lstm *p) {
    if (p->wide)
        return (struct lstm_sums){{0, 0, 0, 0}};
    return (struct lstm_sums){{bias[0], bias[1], bias[2], bias[3]}};
}

KERNEL_INLINE void lstm_step(const int16_t *x, int16_t *cell, int8_t *output, const struct lstm *p) {
    KERNEL_TABLE int16_t *weights = p->weights;
    KERNEL_TABLE int32_t *bias = p->biases;
    const int16_t *hidden = x + 4 * p->input_groups;
    for (int32_t unit = 0; unit < p->units; unit++) {
        struct lstm_sums a = lstm_begin(bias, p), b = lstm_begin(bias + 4, p);
        lstm_multiply(&a, weights, x, p->input_groups);
        weights += 16 * p->input_groups;
        lstm_multiply(&b, weights, hidden, p->hidden_groups);
        weights += 16 * p->hidden_groups;
        const int32_t y = lstm_unit(cell + unit, &a, &b, bias, p);
        bias += 8 * (1 + p->wide);
        if (p->wide)
            ((int16_t *)(void *)output)[unit] = (int16_t)y;
        else
            output[unit] = (int8_t)y;
    }
}

static __attribute__((noinline)) void lstm(const int8_t *input, int8_t *output, int8_t *hidden, int8_t *cell,
                                           int8_t *scratch, const struct lstm *p) {
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
