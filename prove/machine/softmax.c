/* SPDX-License-Identifier: Apache-2.0
 * SOFTMAX behind its sum, for every sum: the kernel's own loop, with a sum that is said instead of computed, against
 * gemmlowp's arithmetic (fixedpoint/fixedpoint.h) and TFLite Micro's order of it (reference/softmax.h), written here from
 * their source and held against core/tflite/fixed_point.py by a test.
 */
#include <stdint.h>

#include "kernels/softmax.h"

static _Thread_local struct softmax_row said;
#define softmax_sum(input, depth, count, exponentials) said
#include "kernels/softmax_s8.h"

static int32_t high_multiply(int32_t a, int32_t b) {
    const int64_t product = (int64_t)a * b;
    const int64_t nudge = product >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);
    return a == b && a == INT32_MIN ? INT32_MAX : (int32_t)((product + nudge) / (INT64_C(1) << 31));
}

static int32_t divide_by_power(int32_t x, int32_t exponent) {
    const int32_t mask = (int32_t)((INT64_C(1) << exponent) - 1);
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}

static int32_t saturated(int64_t x) {
    return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x);
}

/* 1 / (1 + a), Q0.31: one_over_one_plus_x_for_x_in_0_1. */
int32_t softmax_reciprocal(int32_t a) {
    const int64_t sum = (int64_t)a + INT32_MAX;
    const int32_t half = (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int32_t x = 1515870810 + high_multiply(half, -1010580540);
    for (int i = 0; i < 3; i++) {
        const int32_t error = (INT32_C(1) << 29) - high_multiply(half, x);
        x += saturated((int64_t)high_multiply(x, error) * 4);
    }
    return saturated((int64_t)x * 2);
}

/* How many (sum, distance) give another byte, of the sums from `low` to `high` and all distances of a byte. `right`:
 * TFLite Micro's exponentials, of which the kernel's table may leave out the last, too small to count. */
int64_t sweep_softmax(int32_t count, const int32_t *exponentials, int32_t right_count, const int32_t *right, int64_t low,
                      int64_t high, int64_t *first) {
    int8_t input[256], output[256];
    const struct softmax_s8 p = {1, 256, count, exponentials};
    int64_t wrong = 0;
    *first = INT64_MIN;
    for (int32_t i = 0; i < 256; i++) {
        input[i] = (int8_t)(127 - i);
    }
    for (int64_t sum = low; sum <= high; sum++) {
        int32_t zeros = 0, differ = 0;
        said.largest = 127;
        said.sum = (uint32_t)sum;
        softmax_s8(input, output, &p);
        while (!((uint32_t)sum << zeros >> 31)) {
            zeros++;
        }
        const int32_t scale = softmax_reciprocal((int32_t)(((uint32_t)sum << zeros) - (UINT32_C(1) << 31)));
        const int32_t exponent = 12 - zeros + 31 - 8;
        for (int32_t i = 0; i < 256; i++) {
            int32_t share = -128;
            if (i < right_count && exponent <= 31) {
                share = divide_by_power(high_multiply(scale, right[i]), exponent) - 128;
            }
            differ += output[i] != (share > 127 ? 127 : share);
        }
        *first = differ && *first == INT64_MIN ? sum : *first;
        wrong += differ;
    }
    return wrong;
}
