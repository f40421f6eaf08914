/* SPDX-License-Identifier: Apache-2.0
 * Where a kernel's sums end: what follows them is recorded instead of run, with its arguments, and swept elsewhere.
 *
 * Every function that is replaced takes and returns numbers, and touches no memory but for clamp_bytes, which writes the
 * bytes that it reads.
 */
#ifndef TINYPROOF_PROVE_RECORDS_H
#define TINYPROOF_PROVE_RECORDS_H

#include <stdint.h>

/* Softmax is recorded as a whole. Of its header only the macro of the members is wanted. */
namespace plain {
#include "kernels/softmax.h"
}
#undef TINYPROOF_KERNELS_REQUANTIZE_H
#undef TINYPROOF_KERNELS_BROADCAST_H

#include "machine.h"

#include "kernels/requantize.h"
#include "kernels/pairs.h"
#include "kernels/clamp_bytes.h"
#include "kernels/broadcast.h"
#include "kernels/add_s8_element.h"
#include "kernels/mul_s8_element.h"
#include "kernels/average_pooling.h"

/* As prove/symbolic.py names them. */
enum Tail { MOVED, RESCALED_PAIR, REQUANTIZED, ADDED, MULTIPLIED, AVERAGED, SOFTMAX_ROW };
constexpr int PARAMETERS = 14;

struct Record {
    int tail = MOVED;
    bool clamped = false;
    long long parameters[PARAMETERS] = {};
    long long clamp_min = -128;
    long long clamp_max = 127;
    Form form;
};
inline std::vector<Record> records;

template <class T, class... P> Sym<T> token(int tail, Form form, double bound, const P &...parameters) {
    Record record;
    record.tail = tail;
    record.form = std::move(form);
    int place = 0;
    ((record.parameters[place++] = parameters.constant("a parameter").v), ...);
    records.push_back(std::move(record));
    Sym<T> result;
    result.n = pool.make(TOKEN, (long long)records.size() - 1, bound, nullptr, nullptr);
    return result;
}

template <class T> Form form_of(const Sym<T> &value) {
    Form form;
    if (value.n) {
        add_form(form, value.n, 1);
        form.merge();
    } else {
        form.constant = value.v;
    }
    return form;
}

/* What two operands are, in their order: each a byte of the arena, or a number. */
template <class T> void add_operand(Form &form, const Sym<T> &value) {
    if (value.n && value.n->kind != INPUT) {
        throw Violation{"an operand is no byte of the input"};
    }
    form.terms.emplace_back(value.n ? (int)value.n->number : -1, value.n ? 1 : value.v);
}

template <class T, class V> Sym<T> clamped(const V &value, const int32_t &min, const int32_t &max) {
    if (!value.n) {
        return Sym<T>(std::min(std::max(value.v, min.v), max.v));
    }
    if (value.n->kind != TOKEN || records[value.n->number].clamped) {
        throw Violation{"what is clamped is no rescaled sum, or was clamped before"};
    }
    Record &record = records[value.n->number];
    record.clamped = true;
    record.clamp_min = std::max(min.constant("a bound").v, record.clamp_min);
    record.clamp_max = std::min(max.constant("a bound").v, record.clamp_max);
    if (min.v < -128 || max.v > 127) {
        throw Violation{"a clamp is wider than a byte"};
    }
    Sym<T> result;
    result.n = pool.make(TOKEN, value.n->number, 127, nullptr, nullptr);
    return result;
}

inline int8_t record_rescale_pair_s8(const int32_t &sum, const int32_t &multiplier, const int32_t &scaling,
                                     const int32_t &rounding) {
    return token<signed char>(RESCALED_PAIR, form_of(sum), 127, multiplier, scaling, rounding);
}
inline int32_t record_requantize(const int32_t &sum, const int32_t &multiplier, const int32_t &shift,
                                 const int32_t &shifts_right, const int32_t &zero_point) {
    return token<int>(REQUANTIZED, form_of(sum), 2147483647, multiplier, shift, shifts_right, zero_point);
}
inline int8_t record_clamp_s8(const int32_t &value, const int32_t &min, const int32_t &max) {
    return clamped<signed char>(value, min, max);
}
inline int32_t record_clamp_s32(const int32_t &value, const int32_t &min, const int32_t &max) {
    return clamped<int>(value, min, max);
}
inline void record_clamp_bytes(int8_t *output, int32_t count, const int32_t &min, const int32_t &max) {
    for (; count > 0; count--, output++) {
        *output = clamped<signed char>(*output, min, max);
    }
}
inline int8_t record_add_s8_element(const int32_t &x1, const int32_t &x2, const struct add_s8 *p) {
    Form operands;
    add_operand(operands, x1);
    add_operand(operands, x2);
    return token<signed char>(ADDED, operands, 127, p->zero_point1, p->zero_point2, p->sign1, p->sign2, p->multiplier2,
                              p->shift2, p->multiplier, p->shift, p->zero_point, p->clamp_min, p->clamp_max);
}
inline int8_t record_mul_s8_element(const int32_t &x1, const int32_t &x2, const struct mul_s8 *p) {
    Form operands;
    add_operand(operands, x1);
    add_operand(operands, x2);
    return token<signed char>(MULTIPLIED, operands, 127, p->zero_point1, p->zero_point2, p->multiplier, p->shift,
                              p->zero_point, p->clamp_min, p->clamp_max);
}
inline int32_t record_average(const int32_t &sum, const int32_t &count, const uint32_t &reciprocal,
                              const uint32_t &shift) {
    return token<int>(AVERAGED, form_of(sum), 2147483647, count, reciprocal, shift);
}

#define TINYPROOF_KERNELS_SOFTMAX_S8_H /* below: its body is swept by itself */
struct softmax_s8 {
    SOFTMAX_TABLE;
};
inline void record_softmax_s8(const int8_t *input, int8_t *output, const struct softmax_s8 *p) {
    int64_t print = 0; /* of the table: prove/softmax.py has the same */
    for (int32_t i = 0; i < p->exponentials_count; i++) {
        print += (i + 1) * int64_t(p->exponentials[i]);
    }
    for (int32_t left = p->rows; left > 0; left--, input += p->depth, output += p->depth) {
        Form row;
        for (int32_t i = 0; i < p->depth; i++) {
            add_operand(row, input[i]);
        }
        for (int32_t i = 0; i < p->depth; i++) {
            output[i] = token<signed char>(SOFTMAX_ROW, row, 127, i, p->depth, p->exponentials_count, print);
        }
    }
}

#define rescale_pair_s8 record_rescale_pair_s8
#define requantize record_requantize
#define clamp_s8 record_clamp_s8
#define clamp_s32 record_clamp_s32
#define clamp_bytes record_clamp_bytes
#define add_s8_element record_add_s8_element
#define mul_s8_element record_mul_s8_element
#define average_pooling_divide record_average
#define softmax_s8(input, output, p) record_softmax_s8(input, output, p)

#endif
