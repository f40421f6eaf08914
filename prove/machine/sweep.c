/* SPDX-License-Identifier: Apache-2.0
 * What follows a kernel's sums, for every number that can come: the kernels' own functions against TFLite Micro's
 * arithmetic, written here from its source (tflite-micro, tensorflow/lite/kernels/internal/common.h) and held against
 * core/tflite/arithmetic.py by a test. A library; prove/sweeps.py calls it.
 */
#include <stdint.h>

#include "kernels/add_s8_element.h"
#include "kernels/average_pooling.h"
#include "kernels/clamp_bytes.h"
#include "kernels/mul_s8_element.h"
#include "kernels/pairs.h"
#include "kernels/softmax_s8.h"

enum { CHUNK = 4096 };

/* A rescaling as the .tflite has it. */
struct wanted {
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t low;
    int32_t high;
};

static inline int32_t reference_requantize(int32_t x, int32_t multiplier, int32_t shift) {
    const int32_t left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    const int64_t product = (int64_t)(x * (INT32_C(1) << left)) * multiplier;
    const int64_t nudge = product >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);
    const int32_t high = (int32_t)((product + nudge) / (INT64_C(1) << 31));
    const int32_t mask = (int32_t)((INT64_C(1) << right) - 1);
    const int32_t remainder = high & mask, threshold = (mask >> 1) + (high < 0 ? 1 : 0);
    return (high >> right) + (remainder > threshold ? 1 : 0);
}

int32_t sweep_reference(int32_t x, int32_t multiplier, int32_t shift) {
    return reference_requantize(x, multiplier, shift);
}

static inline int8_t reference_output(int32_t x, const struct wanted *w) {
    const int32_t y = reference_requantize(x, w->multiplier, w->shift) + w->zero_point;
    return (int8_t)(y < w->low ? w->low : y > w->high ? w->high : y);
}

static int64_t differing(const int8_t *got, int64_t from, int32_t count, const struct wanted *w, int64_t *first) {
    int32_t wrong = 0;
    for (int32_t i = 0; i < count; i++) {
        wrong += got[i] != reference_output((int32_t)from + i, w);
    }
    for (int32_t i = 0; wrong && i < count && *first == INT64_MIN; i++) {
        if (got[i] != reference_output((int32_t)from + i, w)) {
            *first = from + i;
        }
    }
    return wrong;
}

/* How many sums from `low` to `high` become another byte than they should; `*first` is one of them. The kernel has each
 * sum with p[3] added. */
int64_t sweep_pair(const int64_t *p, int32_t min, int32_t max, const struct wanted *w, int64_t low, int64_t high,
                   int64_t *first) {
    int8_t got[CHUNK];
    int64_t wrong = 0;
    const int32_t multiplier = (int32_t)p[0], scaling = (int32_t)p[1], rounding = (int32_t)p[2], moved = (int32_t)p[3];
    *first = INT64_MIN;
    for (int64_t at = low; at <= high; at += CHUNK) {
        const int32_t count = high - at + 1 < CHUNK ? (int32_t)(high - at + 1) : CHUNK;
        for (int32_t i = 0; i < count; i++) {
            got[i] = rescale_pair_s8((int32_t)at + i + moved, multiplier, scaling, rounding);
        }
        clamp_bytes(got, count, min, max);
        wrong += differing(got, at, count, w, first);
    }
    return wrong;
}

int64_t sweep_requantize(const int64_t *p, int32_t min, int32_t max, const struct wanted *w, int64_t low, int64_t high,
                         int64_t *first) {
    int8_t got[CHUNK];
    int64_t wrong = 0;
    const int32_t multiplier = (int32_t)p[0], shift = (int32_t)p[1], right = (int32_t)p[2], zero = (int32_t)p[3];
    *first = INT64_MIN;
    for (int64_t at = low; at <= high; at += CHUNK) {
        const int32_t count = high - at + 1 < CHUNK ? (int32_t)(high - at + 1) : CHUNK;
        for (int32_t i = 0; i < count; i++) {
            got[i] = clamp_s8(requantize((int32_t)at + i, multiplier, shift, right, zero), min, max);
        }
        wrong += differing(got, at, count, w, first);
    }
    return wrong;
}

/* What the operator makes of every pair of bytes: `table[(x1 + 128) * 256 + x2 + 128]`. */
void sweep_add(const int64_t *p, int8_t *table) {
    struct add_s8 add = {.zero_point1 = (int32_t)p[0], .zero_point2 = (int32_t)p[1], .sign1 = (int32_t)p[2],
                         .sign2 = (int32_t)p[3], .multiplier2 = (int32_t)p[4], .shift2 = (int32_t)p[5],
                         .multiplier = (int32_t)p[6], .shift = (int32_t)p[7], .zero_point = (int32_t)p[8],
                         .clamp_min = (int32_t)p[9], .clamp_max = (int32_t)p[10]};
    for (int32_t i = 0; i < 1 << 16; i++) {
        table[i] = add_s8_element((i >> 8) - 128, (i & 255) - 128, &add);
    }
}

void sweep_mul(const int64_t *p, int8_t *table) {
    struct mul_s8 mul = {.zero_point1 = (int32_t)p[0], .zero_point2 = (int32_t)p[1], .multiplier = (int32_t)p[2],
                         .shift = (int32_t)p[3], .zero_point = (int32_t)p[4], .clamp_min = (int32_t)p[5],
                         .clamp_max = (int32_t)p[6]};
    for (int32_t i = 0; i < 1 << 16; i++) {
        table[i] = mul_s8_element((i >> 8) - 128, (i & 255) - 128, &mul);
    }
}

/* What each sum of `count` bytes from -128 * count to 127 * count becomes. */
void sweep_average(const int64_t *p, int32_t min, int32_t max, int8_t *table) {
    const int32_t count = (int32_t)p[0];
    for (int32_t sum = -128 * count; sum <= 127 * count; sum++) {
        *table++ = (int8_t)clamp_s32(average_pooling_divide(sum, count, (uint32_t)p[1], (uint32_t)p[2]), min, max);
    }
}

/* Rows as they are, for those that are few. */
void sweep_softmax_rows(const int8_t *input, int8_t *output, int32_t rows, int32_t depth, int32_t count,
                        const int32_t *exponentials) {
    const struct softmax_s8 p = {rows, depth, count, exponentials};
    softmax_s8(input, output, &p);
}
