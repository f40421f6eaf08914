/* SPDX-License-Identifier: Apache-2.0
 * Kernels of 3 x 3 on a plane of one channel, with the weights in registers, for cores with the DSP extension: most
 * depthwise layers are such.
 */
#ifndef TINYPROOF_KERNELS_PLANES_AT_ONCE_H
#define TINYPROOF_KERNELS_PLANES_AT_ONCE_H

#include "kernels/planes_multiply.h"
#include "kernels/planes_outputs.h"

/* Whether there are other layers than those of one channel, 3 x 3 and one rounding: the model says so. */
#ifdef PLANES_ANY
#define PLANES_UNITS 1
#else
#define PLANES_UNITS 0
#endif

/* clang-format off */
/* The beginning of a row of outputs. */
#define THREE_BEGIN                                                                                                    \
    "1:\n\t"                                                                                                           \
    "ldr %[output], %[begin]\n\t"                                                                                      \
    "ldr r11, %[pairs]\n\t"                                                                                            \
    "add r11, %[output], r11\n\t"                                                                                      \
    "str r11, %[end]\n\t"                                                                                              \
    ALIGN_LOOP                                                                                                         \
    "2:\n\t"                                                                                                           \
    "ldrd %[a0], %[a1], %[biases]\n\t"

/* Rescaling of two outputs, or of one; afterwards r11 and r12 are `walk`. */
#define THREE_ONCE                                                                                                     \
    "ldrd r11, r12, %[factors]\n\t"                                                                                    \
    ONCE_MULTIPLY("%[a0]", "r11", "r12") ONCE_MULTIPLY("%[a1]", "r11", "r12")                                          \
    "ldrd r11, r12, %[walk]\n\t"                                                                                       \
    ONCE_CLAMP("%[a0]") ONCE_CLAMP("%[a1]")
#define THREE_ONCE_LAST                                                                                                \
    "ldrd r11, r12, %[factors]\n\t"                                                                                    \
    ONCE_MULTIPLY("%[a0]", "r11", "r12") ONCE_CLAMP("%[a0]")
#define THREE_TWICE                                                                                                    \
    "ldrd r11, r12, %[factors]\n\t"                                                                                    \
    REQUANTIZE_MULTIPLY("%[a0]", "r11") REQUANTIZE_MULTIPLY("%[a1]", "r11")                                            \
    REQUANTIZE_AWAY_FROM_ZERO("%[a0]") REQUANTIZE_AWAY_FROM_ZERO("%[a1]")                                              \
    "ldr r11, %[rounding]\n\t"                                                                                         \
    REQUANTIZE_SHIFT("%[a0]", "r12") REQUANTIZE_SHIFT("%[a1]", "r12")                                                  \
    REQUANTIZE_ROUND("%[a0]", "r11") REQUANTIZE_ROUND("%[a1]", "r11")                                                  \
    "ldrd r11, r12, %[walk]\n\t"                                                                                       \
    REQUANTIZE_CLAMP("%[a0]") REQUANTIZE_CLAMP("%[a1]")
#define THREE_TWICE_LAST                                                                                               \
    "ldrd r11, r12, %[factors]\n\t"                                                                                    \
    REQUANTIZE_MULTIPLY("%[a0]", "r11") REQUANTIZE_AWAY_FROM_ZERO("%[a0]")                                             \
    "ldr r11, %[rounding]\n\t"                                                                                         \
    REQUANTIZE_SHIFT("%[a0]", "r12") REQUANTIZE_ROUND("%[a0]", "r11") REQUANTIZE_CLAMP("%[a0]")
#define THREE_LEFT                                                                                                     \
    "ldrd r11, r12, %[factors]\n\t"                                                                                    \
    REQUANTIZE_MULTIPLY("%[a0]", "r11") REQUANTIZE_MULTIPLY("%[a1]", "r11")                                            \
    "ldr r11, %[rounding]\n\t"                                                                                         \
    REQUANTIZE_ROUND("%[a0]", "r11") REQUANTIZE_ROUND("%[a1]", "r11")                                                  \
    "ldrd r11, r12, %[walk]\n\t"                                                                                       \
    "ssat %[a0], #8, %[a0]\n\t"                                                                                        \
    "ssat %[a1], #8, %[a1]\n\t"
#define THREE_LEFT_LAST                                                                                                \
    "ldrd r11, r12, %[factors]\n\t"                                                                                    \
    REQUANTIZE_MULTIPLY("%[a0]", "r11")                                                                                \
    "ldr r11, %[rounding]\n\t"                                                                                         \
    REQUANTIZE_ROUND("%[a0]", "r11")                                                                                   \
    "ssat %[a0], #8, %[a0]\n\t"

/* Two outputs of a row, the loop over all such, and the beginning of one more where their number is odd. */
#define THREE_OUTPUTS(rescale)                                                                                         \
    rescale                                                                                                            \
    "strb %[a0], [%[output]]\n\t"                                                                                      \
    "strb %[a1], [%[output], r11]\n\t"                                                                                 \
    "add %[output], %[output], r11, lsl #1\n\t"                                                                        \
    "cmp %[output], r12\n\t"                                                                                           \
    "bne 2b\n\t"                                                                                                       \
    "ldr r11, %[odd]\n\t"                                                                                              \
    "ldrd %[a0], %[a1], %[biases]\n\t"                                                                                 \
    "cmp r11, #0\n\t"                                                                                                  \
    "beq 3f\n\t"

/* That one, and the way to the next row. */
#define THREE_END(rescale)                                                                                             \
    rescale                                                                                                            \
    "strb %[a0], [%[output]]\n"                                                                                        \
    "3:\n\t"                                                                                                           \
    "ldr r11, %[gap]\n\t"                                                                                              \
    "ldr r12, %[step_y]\n\t"                                                                                           \
    "ldr %[output], %[begin]\n\t"                                                                                      \
    "add %[x0], %[x0], r11\n\t"                                                                                        \
    "add %[x1], %[x1], r11\n\t"                                                                                        \
    "add %[x2], %[x2], r11\n\t"                                                                                        \
    "ldr r11, %[rows]\n\t"                                                                                             \
    "add %[output], %[output], r12\n\t"                                                                                \
    "str %[output], %[begin]\n\t"                                                                                      \
    "subs r11, r11, #1\n\t"                                                                                            \
    "str r11, %[rows]\n\t"                                                                                             \
    "bne 1b"

/* A row of the kernel times two outputs side by side, or one; the weights are (0, 1) and (1, 2). */
#define THREE_BESIDE(x, w01, w12)                                                                                      \
    "ldrd r11, r12, [" x "], #4\n\t"                                                                                   \
    "smlad %[a0], " w01 ", r11, %[a0]\n\t"                                                                             \
    "smlabt %[a1], " w01 ", r11, %[a1]\n\t"                                                                            \
    "smlatb %[a0], " w12 ", r12, %[a0]\n\t"                                                                            \
    "smlad %[a1], " w12 ", r12, %[a1]\n\t"
#define THREE_BESIDE_LAST(x, w01, w12)                                                                                 \
    "ldrd r11, r12, [" x "], #4\n\t"                                                                                   \
    "smlad %[a0], " w01 ", r11, %[a0]\n\t"                                                                             \
    "smlatb %[a0], " w12 ", r12, %[a0]\n\t"

/* The same with a stride of 2; the weights are (0, 1) and (2, 2 of the next row), of which `half` is taken. */
#define THREE_APART(x, w01, w2, half)                                                                                  \
    "ldrd r10, r11, [" x "], #8\n\t"                                                                                   \
    "ldr r12, [" x "]\n\t"                                                                                             \
    "smlad %[a0], " w01 ", r10, %[a0]\n\t"                                                                             \
    "smlad %[a1], " w01 ", r11, %[a1]\n\t"                                                                             \
    "smla" half "b %[a0], " w2 ", r11, %[a0]\n\t"                                                                      \
    "smla" half "b %[a1], " w2 ", r12, %[a1]\n\t"
#define THREE_APART_LAST(x, w01, w2, half)                                                                             \
    "ldrd r10, r11, [" x "], #8\n\t"                                                                                   \
    "smlad %[a0], " w01 ", r10, %[a0]\n\t"                                                                             \
    "smla" half "b %[a0], " w2 ", r11, %[a0]\n\t"

/* What both of them read and write. */
#define THREE_OPERANDS                                                                                                 \
    : [output] "+r"(output), [x0] "+r"(x0), [x1] "+r"(x1), [x2] "+r"(x2), [a0] "=&r"(a0), [a1] "=&r"(a1),              \
      [rows] "+m"(rows), [begin] "+m"(begin), [end] "+m"(walk[1])                                                      \
    : [weights] "m"(weights), [biases] "m"(biases), [factors] "m"(factors), [rounding] "m"(rounding),                  \
      [pairs] "m"(pairs), [odd] "m"(odd), [gap] "m"(gap), [walk] "m"(walk), [step_y] "m"(step_y)                       \
    : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory"

#define THREE_WITH_STRIDE_1(two, one)                                                                                  \
    __asm__ volatile(                                                                                                  \
        "ldr r12, %[weights]\n\t"                                                                                      \
        "ldmia r12, {r4, r5, r6, r8, r9, r10}\n"                                                                       \
        THREE_BEGIN                                                                                                    \
        THREE_BESIDE("%[x0]", "r4", "r5") THREE_BESIDE("%[x1]", "r6", "r8") THREE_BESIDE("%[x2]", "r9", "r10")         \
        THREE_OUTPUTS(two)                                                                                             \
        THREE_BESIDE_LAST("%[x0]", "r4", "r5") THREE_BESIDE_LAST("%[x1]", "r6", "r8")                                  \
        THREE_BESIDE_LAST("%[x2]", "r9", "r10")                                                                        \
        THREE_END(one)                                                                                                 \
        THREE_OPERANDS)
#define THREE_WITH_STRIDE_2(two, one)                                                                                  \
    __asm__ volatile(                                                                                                  \
        "ldr r12, %[weights]\n\t"                                                                                      \
        "ldmia r12, {r4, r5, r6, r8, r9}\n"                                                                            \
        THREE_BEGIN                                                                                                    \
        THREE_APART("%[x0]", "r4", "r8", "b") THREE_APART("%[x1]", "r5", "r8", "t")                                    \
        THREE_APART("%[x2]", "r6", "r9", "b")                                                                          \
        THREE_OUTPUTS(two)                                                                                             \
        THREE_APART_LAST("%[x0]", "r4", "r8", "b") THREE_APART_LAST("%[x1]", "r5", "r8", "t")                          \
        THREE_APART_LAST("%[x2]", "r6", "r9", "b")                                                                     \
        THREE_END(one)                                                                                                 \
        THREE_OPERANDS)

/* How sums become outputs: by one rounding, by two with a shift to the right, or by two where the factor is 1/2 or more
 * and the shift to the left is in the weights. */
enum { THREE_BY_ONE, THREE_BY_TWO, THREE_TO_LEFT };
enum { THREE_MOST_SHIFT = 8 }; /* of weights in int16 */

/* All outputs of a unit in a strip, at least two in a row. */
KERNEL_INLINE void planes_three_of(int8_t *output, const int16_t *plane, const int8_t *w, const int32_t *scales,
                                   int32_t tap_row, const struct planes_outputs *outputs, int32_t rounding, int32_t way,
                                   int32_t shift) {
    int32_t a0, a1;
    const int32_t unit = way == THREE_TO_LEFT ? INT32_C(1) << shift : 1;
    const int32_t bias = (int32_t)((uint32_t)scales[0] * (uint32_t)unit);
    const int32_t biases[2] = {bias, bias}, factors[2] = {scales[1], scales[2]};
    const int32_t pairs = (outputs->count & ~1) * outputs->step, odd = outputs->count & 1;
    const int32_t gap = outputs->row - 4 * outputs->stride * ((outputs->count + 1) / 2);
    const int32_t step_y = outputs->step_y;
    int32_t rows = outputs->rows;
    const int8_t *x0 = (const int8_t *)plane, *x1 = x0 + tap_row, *x2 = x1 + tap_row;
    uintptr_t walk[2] = {(uintptr_t)outputs->step, 0}; /* along a row of outputs, until which of them */
    int8_t *begin = output;
    word table[6] = {planes_word(w[0] * unit, w[1] * unit)};
    const word *weights = table;
    if (outputs->stride == 1) {
        table[1] = planes_word(w[1] * unit, w[2] * unit);
        table[2] = planes_word(w[3] * unit, w[4] * unit);
        table[3] = planes_word(w[4] * unit, w[5] * unit);
        table[4] = planes_word(w[6] * unit, w[7] * unit);
        table[5] = planes_word(w[7] * unit, w[8] * unit);
    } else {
        table[1] = planes_word(w[3] * unit, w[4] * unit);
        table[2] = planes_word(w[6] * unit, w[7] * unit);
        table[3] = planes_word(w[2] * unit, w[5] * unit);
        table[4] = planes_word(w[8] * unit, 0);
    }
    if (outputs->stride == 1 && way == THREE_BY_TWO) {
        THREE_WITH_STRIDE_1(THREE_TWICE, THREE_TWICE_LAST);
    } else if (outputs->stride == 1 && way == THREE_TO_LEFT) {
        THREE_WITH_STRIDE_1(THREE_LEFT, THREE_LEFT_LAST);
    } else if (outputs->stride == 1) {
        THREE_WITH_STRIDE_1(THREE_ONCE, THREE_ONCE_LAST);
    } else if (way == THREE_BY_TWO) {
        THREE_WITH_STRIDE_2(THREE_TWICE, THREE_TWICE_LAST);
    } else if (way == THREE_TO_LEFT) {
        THREE_WITH_STRIDE_2(THREE_LEFT, THREE_LEFT_LAST);
    } else {
        THREE_WITH_STRIDE_2(THREE_ONCE, THREE_ONCE_LAST);
    }
}
/* clang-format on */

static __attribute__((noinline, hot)) void planes_three(int8_t *output, const int16_t *plane, const int8_t *w,
                                                        const int32_t *scales, int32_t tap_row,
                                                        const struct planes_outputs *outputs) {
    planes_three_of(output, plane, w, scales, tap_row, outputs, 0, THREE_BY_ONE, 0);
}

/* A model in which depthwise layers of 3 x 3 are rescaled by two roundings says so. */
#ifdef PLANES_THREE_TWICE
static
    __attribute__((noinline, hot)) int32_t planes_three_twice(int8_t *output, const int16_t *plane, const int8_t *w,
                                                              const int32_t *scales, int32_t tap_row,
                                                              const struct planes_outputs *outputs, int32_t rounding) {
    const int32_t shift = scales[2] >> 8 & 0x1f;
    if (scales[2] >= 0) {
        planes_three_of(output, plane, w, scales, tap_row, outputs, rounding, THREE_BY_TWO, 0);
        return 1;
    }
    if (shift > THREE_MOST_SHIFT) {
        return 0;
    }
    planes_three_of(output, plane, w, scales, tap_row, outputs, rounding >> 1, THREE_TO_LEFT, shift);
    return 1;
}
#endif

/* Makes the outputs of a unit of one channel of a kernel of 3 x 3, if that can be. */
KERNEL_INLINE int32_t planes_at_once(int8_t *output, const int16_t *plane, const int8_t *weights, const int32_t *scales,
                                     const struct planes_shape *shape, const struct planes_outputs *outputs,
                                     int32_t rounding) {
    const int32_t fits = shape->height == 3 && shape->width == 3 && outputs->stride <= 2 && outputs->count > 1;
    const int32_t tap_row = shape->gap + 4 * (shape->steps - 1);
    if (!fits) {
        return 0;
    }
    if (rounds_once(scales[1])) {
        planes_three(output, plane, weights, scales, tap_row, outputs);
        return 1;
    }
#ifdef PLANES_THREE_TWICE
    return planes_three_twice(output, plane, weights, scales, tap_row, outputs, rounding);
#else
    (void)rounding;
    return 0;
#endif
}

#endif
