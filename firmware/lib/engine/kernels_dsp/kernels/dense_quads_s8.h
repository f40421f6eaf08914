/* SPDX-License-Identifier: Apache-2.0
 * FULLY_CONNECTED of one row, int8, which needs no scratch, for cores with the DSP extension. Bit-exact with kernels/.
 *
 * Each four inputs are widened in registers and serve four units; a widened copy would serve all of them.
 */
#ifndef TINYPROOF_KERNELS_DENSE_QUADS_S8_H
#define TINYPROOF_KERNELS_DENSE_QUADS_S8_H

#include "kernels/clamp_bytes.h"
#include "kernels/dense_quads_s8_parameters.h"
#include "kernels/dsp.h"

#define QUADS_SMLAD(a, w, x) "smlad " a ", " w ", " x ", " a "\n\t"
#define QUADS_NUMBERS(a, b, w, x) QUADS_SMLAD(b, w, x) "sxtb16 " w ", " w "\n\t" QUADS_SMLAD(a, w, x)
#define QUADS_FOUR_NUMBERS(even, odd)                                                                                  \
    "ldmia %[w]!, {r4, r5, r6, r8}\n\t" QUADS_NUMBERS("%[a0]", "%[b0]", "r4", even)                                    \
        QUADS_NUMBERS("%[a0]", "%[b0]", "r5", odd) QUADS_NUMBERS("%[a1]", "%[b1]", "r6", even)                         \
            QUADS_NUMBERS("%[a1]", "%[b1]", "r8", odd)
#define QUADS_EIGHT(four)                                                                                              \
    "ldrd %[x0], %[x1], [%[x]], #8\n\t"                                                                                \
    "sxtb16 %[even], %[x0]\n\t"                                                                                        \
    "sxtb16 %[x0], %[x0], ror #8\n\t" four("%[even]", "%[x0]") "sxtb16 %[even], %[x1]\n\t"                             \
                                                               "sxtb16 %[x1], %[x1], ror #8\n\t" four("%[even]",       \
                                                                                                      "%[x1]")

/* A vector times four rows of numbers, `end` its end: a sum b is (P - a) / 256, see pairs.h. */
static __attribute__((noinline)) void dense_quads_numbers(int32_t sums[4], const int8_t *weights, const int8_t *input,
                                                          const int8_t *end) {
    int32_t a0 = 0, b0 = 0, a1 = 0, b1 = 0, x0, x1, even;
    const int8_t *w = weights, *x = input;
    __asm__ volatile("1:\n\t" QUADS_EIGHT(QUADS_FOUR_NUMBERS) QUADS_EIGHT(QUADS_FOUR_NUMBERS) "ldr %[even], %[end]\n\t"
                                                                                              "cmp %[x], %[even]\n\t"
                                                                                              "bne 1b"
                     : [a0] "+r"(a0), [b0] "+r"(b0), [a1] "+r"(a1), [b1] "+r"(b1), [w] "+r"(w), [x] "+r"(x),
                       [x0] "=&r"(x0), [x1] "=&r"(x1), [even] "=&r"(even)
                     : [end] "m"(end)
                     : "r4", "r5", "r6", "r8", "cc", "memory");
    sums[0] = a0;
    sums[1] = (b0 - a0) >> 8;
    sums[2] = a1;
    sums[3] = (b1 - a1) >> 8;
}

/* The same times rows of bytes, one of whose pairs could not be numbers. */
static __attribute__((noinline)) void dense_quads_bytes(int32_t sums[4], const int8_t *weights, const int8_t *input,
                                                        const int8_t *end) {
    int32_t a0 = 0, b0 = 0, a1 = 0, b1 = 0;
    const word *w = (const word *)weights;
    for (const int8_t *x = input; x != end; x += 4, w += 4) {
        const uint32_t bytes = *(const loose_word *)x, even = widen_even(bytes), odd = widen_odd(bytes);
        a0 = dual_multiply(widen_even(w[1]), odd, dual_multiply(widen_even(w[0]), even, a0));
        b0 = dual_multiply(widen_odd(w[1]), odd, dual_multiply(widen_odd(w[0]), even, b0));
        a1 = dual_multiply(widen_even(w[3]), odd, dual_multiply(widen_even(w[2]), even, a1));
        b1 = dual_multiply(widen_odd(w[3]), odd, dual_multiply(widen_odd(w[2]), even, b1));
    }
    sums[0] = a0;
    sums[1] = b0;
    sums[2] = a1;
    sums[3] = b1;
}

KERNEL_INLINE int8_t dense_quads_output(int32_t sum, int32_t multiplier, int32_t scaling, int32_t rounding) {
    return scaling >= 0 && !rounds_once(multiplier) ? rescale_s8(sum, multiplier, scaling & 0xff, rounding)
                                                    : rescale_pair_s8(sum, multiplier, scaling, rounding);
}

KERNEL_SHARED void dense_quads_s8(const int8_t *input, int8_t *output, const struct dense_quads_s8 *p) {
    const int8_t *weights = p->weights, *end = input + p->depth;
    const int32_t *scales = p->scales;
    for (int32_t left = p->units; left > 0; left -= 4, weights += 4 * p->depth, scales += 2 * PAIR_SCALES) {
        int32_t sums[4];
        if (pair_flags(scales) & PAIR_BYTES) {
            dense_quads_bytes(sums, weights, input, end);
        } else {
            dense_quads_numbers(sums, weights, input, end);
        }
        const int32_t *next = scales + PAIR_SCALES, rounding = p->rounding;
        output[0] = dense_quads_output(sums[0] + scales[0], scales[2], scales[4], rounding);
        output[1] = dense_quads_output(sums[1] + pair_bias_b(scales), scales[3], pair_scaling_b(scales), rounding);
        output[2] = dense_quads_output(sums[2] + next[0], next[2], next[4], rounding);
        output[3] = dense_quads_output(sums[3] + pair_bias_b(next), next[3], pair_scaling_b(next), rounding);
        output += 4;
    }
    clamp_bytes(output - p->units, p->units, p->clamp_min, p->clamp_max);
}

#endif
