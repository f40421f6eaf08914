/* SPDX-License-Identifier: Apache-2.0
 * The inner loops of conv_planes_s8, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_PLANES_MULTIPLY_H
#define TINYPROOF_KERNELS_PLANES_MULTIPLY_H

#include "kernels/dsp.h"
#include "kernels/pairs.h"

/* A kernel in steps of two taps. `gap`: bytes from the last two of a row to the first two of the next. */
struct planes_shape {
    int32_t height;
    int32_t width;
    int32_t steps; /* of a row */
    int32_t gap;
};

KERNEL_INLINE word planes_word(int32_t low, int32_t high) {
    return ((word)low & 0xffff) | (word)high << 16;
}

/* A channel's weights as `planes_multiply` takes them. */
static __attribute__((noinline)) void planes_spread(word *step, const int8_t *weights,
                                                    const struct planes_shape *shape) {
    const int32_t last = shape->steps - 1, odd = shape->width % 2;
    for (int32_t ky = 0; ky < shape->height; ky++) {
        int32_t before = 0;
        for (int32_t left = last; left > 0; left--, weights += 2, step += 3) {
            step[0] = planes_word(weights[0], weights[1]);
            step[1] = planes_word(before, weights[0]);
            step[2] = 4;
            before = weights[1];
        }
        const int32_t first = odd || 2 * last < shape->width ? *weights++ : 0;
        const int32_t second = 2 * last + 1 < shape->width ? *weights++ : 0;
        step[0] = planes_word(first, second);
        step[1] = planes_word(before, first);
        step[2] = (word)shape->gap;
        step += 3;
    }
    if (shape->height * shape->steps % 2 != 0) {
        step[0] = 0;
        step[1] = 0;
        step[2] = 0;
    }
}

/* clang-format off */
/* Four bytes `step` apart to int16. */
#define PLANES_WIDEN_FOUR                                                                                              \
    "ldrsb r4, [%[from]]\n\t"                                                                                          \
    "ldrsb r5, [%[from], %[step]]\n\t"                                                                                 \
    "ldrsb r6, [%[from], %[step], lsl #1]\n\t"                                                                         \
    "ldrsb r8, [%[from], %[step3]]\n\t"                                                                                \
    "add %[from], %[from], %[step], lsl #2\n\t"                                                                        \
    "strh r4, [%[to]], #2\n\t"                                                                                         \
    "strh r5, [%[to]], #2\n\t"                                                                                         \
    "strh r6, [%[to]], #2\n\t"                                                                                         \
    "strh r8, [%[to]], #2\n\t"

/* `rows` rows of `count` bytes, `step` bytes apart, to int16; `pitch` of these are a row. */
KERNEL_INLINE void planes_widen(int16_t *to, int32_t pitch, const int8_t *from, int32_t step, int32_t step_y,
                                int32_t count, int32_t rows) {
    const int32_t step3 = 3 * step, eights = count / 8, four = count & 4, ones = count & 3;
    const int32_t gap = step_y - count * step, gap_to = 2 * (pitch - count);
    int32_t left;
    __asm__ volatile(
        "1:\n\t"
        "ldr %[left], %[eights]\n\t"
        "cmp %[left], #0\n\t"
        "beq 3f\n"
        "2:\n\t" PLANES_WIDEN_FOUR PLANES_WIDEN_FOUR
        "subs %[left], %[left], #1\n\t"
        "bne 2b\n"
        "3:\n\t"
        "ldr %[left], %[four]\n\t"
        "cmp %[left], #0\n\t"
        "beq 4f\n\t"
        PLANES_WIDEN_FOUR "\n"
        "4:\n\t"
        "ldr %[left], %[ones]\n\t"
        "cmp %[left], #0\n\t"
        "beq 6f\n"
        "5:\n\t"
        "ldrsb r4, [%[from]]\n\t"
        "add %[from], %[from], %[step]\n\t"
        "strh r4, [%[to]], #2\n\t"
        "subs %[left], %[left], #1\n\t"
        "bne 5b\n"
        "6:\n\t"
        "ldr r4, %[gap]\n\t"
        "ldr r5, %[gap_to]\n\t"
        "add %[from], %[from], r4\n\t"
        "add %[to], %[to], r5\n\t"
        "subs %[rows], %[rows], #1\n\t"
        "bne 1b"
        : [to] "+r"(to), [from] "+r"(from), [rows] "+r"(rows), [left] "=&r"(left)
        : [step] "r"(step), [step3] "r"(step3), [eights] "m"(eights), [four] "m"(four), [ones] "m"(ones),
          [gap] "m"(gap), [gap_to] "m"(gap_to)
        : "r4", "r5", "r6", "r8", "cc", "memory");
}

/* Two taps of four outputs side by side: of outputs 0 and 2 at (0, 1), of outputs 1 and 3 at (-1, 0). */
#define PLANES_STEP                                                                                                    \
    "ldmia %[w]!, {r4, r5, r6}\n\t"                                                                                    \
    "ldrd r8, r9, [%[x]]\n\t"                                                                                          \
    "add %[x], %[x], r6\n\t"                                                                                           \
    "smlad %[a0], r4, r8, %[a0]\n\t"                                                                                   \
    "smlad %[a1], r5, r8, %[a1]\n\t"                                                                                   \
    "smlad %[a2], r4, r9, %[a2]\n\t"                                                                                   \
    "smlad %[a3], r5, r9, %[a3]\n\t"

/* Two taps of every other place: four words. */
#define PLANES_EVEN_STEP                                                                                               \
    "ldmia %[w]!, {r4, r5, r6}\n\t"                                                                                    \
    "ldmia %[x], {r5, r8, r9, r10}\n\t"                                                                                \
    "add %[x], %[x], r6\n\t"                                                                                           \
    "smlad %[a0], r4, r5, %[a0]\n\t"                                                                                   \
    "smlad %[a1], r4, r8, %[a1]\n\t"                                                                                   \
    "smlad %[a2], r4, r9, %[a2]\n\t"                                                                                   \
    "smlad %[a3], r4, r10, %[a3]\n\t"

/* Two taps of four outputs that lie r9 bytes apart; r10 is three times that. */
#define PLANES_FAR_STEP                                                                                                \
    "ldmia %[w]!, {r4, r5, r6}\n\t"                                                                                    \
    "ldr r5, [%[x]]\n\t"                                                                                               \
    "ldr r8, [%[x], r9]\n\t"                                                                                           \
    "smlad %[a0], r4, r5, %[a0]\n\t"                                                                                   \
    "smlad %[a1], r4, r8, %[a1]\n\t"                                                                                   \
    "ldr r5, [%[x], r9, lsl #1]\n\t"                                                                                   \
    "ldr r8, [%[x], r10]\n\t"                                                                                          \
    "add %[x], %[x], r6\n\t"                                                                                           \
    "smlad %[a2], r4, r5, %[a2]\n\t"                                                                                   \
    "smlad %[a3], r4, r8, %[a3]\n\t"

/* A row of a kernel of three taps, times two outputs: the weights are (0, 1) and (1, 2). */
#define PLANES_THREE(x, w01, w12)                                                                                      \
    "ldrd r11, r12, [" x "], #4\n\t"                                                                                   \
    "smlad %[a0], " w01 ", r11, %[a0]\n\t"                                                                             \
    "smlabt %[a1], " w01 ", r11, %[a1]\n\t"                                                                            \
    "smlatb %[a0], " w12 ", r12, %[a0]\n\t"                                                                            \
    "smlad %[a1], " w12 ", r12, %[a1]\n\t"
#define PLANES_THREE_BY_THREE                                                                                          \
    "ldrd %[a0], %[a1], [%[sums]]\n\t"                                                                                 \
    PLANES_THREE("%[x0]", "r4", "r5")                                                                                  \
    PLANES_THREE("%[x1]", "r6", "r8")                                                                                  \
    PLANES_THREE("%[x2]", "r9", "r10")                                                                                 \
    "strd %[a0], %[a1], [%[sums]], #8\n\t"

/* `planes_multiply` for a kernel of 3 x 3 and a stride of 1: all of its weights stay in registers, of which none is left.
 * `row`: bytes from a row of the plane to the next. */
static __attribute__((noinline)) void planes_multiply_three(int32_t *sums, int32_t fours, const int16_t *plane,
                                                            int32_t row, const word *steps) {
    int32_t a0, a1;
    const int8_t *x0 = (const int8_t *)plane, *x1 = x0 + row, *x2 = x1 + row;
    const int32_t *sums_end = sums + 4 * fours;
    __asm__ volatile(
        "ldr r12, %[steps]\n\t"
        "ldr r4, [r12]\n\t"
        "ldr r5, [r12, #16]\n\t"
        "ldr r6, [r12, #24]\n\t"
        "ldr r8, [r12, #40]\n\t"
        "ldr r9, [r12, #48]\n\t"
        "ldr r10, [r12, #64]\n"
        "1:\n\t" PLANES_THREE_BY_THREE PLANES_THREE_BY_THREE
        "ldr r11, %[sums_end]\n\t"
        "cmp %[sums], r11\n\t"
        "bne 1b"
        : [sums] "+r"(sums), [x0] "+r"(x0), [x1] "+r"(x1), [x2] "+r"(x2), [a0] "=&r"(a0), [a1] "=&r"(a1)
        : [steps] "m"(steps), [sums_end] "m"(sums_end)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
}

/* Adds a channel's share to `fours` times four sums. The first output's first tap is at `plane`. */
static __attribute__((noinline)) void planes_multiply(int32_t *sums, int32_t fours, const int16_t *plane,
                                                      int32_t stride, const word *steps,
                                                      const struct planes_shape *shape) {
    int32_t a0, a1, a2, a3;
    const int16_t *x;
    const word *w, *end = steps + 3 * ((shape->height * shape->steps + 1) & ~1);
    const int32_t *sums_end = sums + 4 * fours;
    if (stride == 1 && shape->height == 3 && shape->width == 3) {
        planes_multiply_three(sums, fours, plane, shape->gap + 4 * (shape->steps - 1), steps);
        return;
    }
    if (stride == 1) {
        __asm__ volatile(
            "1:\n\t"
            "ldrd %[a0], %[a1], [%[sums]]\n\t"
            "ldrd %[a2], %[a3], [%[sums], #8]\n\t"
            "ldr %[w], %[steps]\n\t"
            "mov %[x], %[plane]\n"
            "2:\n\t" PLANES_STEP PLANES_STEP
            "cmp %[w], %[end]\n\t"
            "bne 2b\n\t"
            "ldr r4, %[sums_end]\n\t"
            "strd %[a0], %[a1], [%[sums]], #8\n\t"
            "strd %[a2], %[a3], [%[sums]], #8\n\t"
            "add %[plane], %[plane], #8\n\t"
            "cmp %[sums], r4\n\t"
            "bne 1b"
            : [sums] "+r"(sums), [plane] "+r"(plane), [x] "=&r"(x), [w] "=&r"(w), [a0] "=&r"(a0), [a1] "=&r"(a1),
              [a2] "=&r"(a2), [a3] "=&r"(a3)
            : [end] "r"(end), [steps] "m"(steps), [sums_end] "m"(sums_end)
            : "r4", "r5", "r6", "r8", "r9", "cc", "memory");
        return;
    }
    if (stride == 2) {
        __asm__ volatile(
            "1:\n\t"
            "ldrd %[a0], %[a1], [%[sums]]\n\t"
            "ldrd %[a2], %[a3], [%[sums], #8]\n\t"
            "ldr %[w], %[steps]\n\t"
            "mov %[x], %[plane]\n"
            "2:\n\t" PLANES_EVEN_STEP PLANES_EVEN_STEP
            "ldr r4, %[end]\n\t"
            "cmp %[w], r4\n\t"
            "bne 2b\n\t"
            "ldr r4, %[sums_end]\n\t"
            "strd %[a0], %[a1], [%[sums]], #8\n\t"
            "strd %[a2], %[a3], [%[sums]], #8\n\t"
            "add %[plane], %[plane], #16\n\t"
            "cmp %[sums], r4\n\t"
            "bne 1b"
            : [sums] "+r"(sums), [plane] "+r"(plane), [x] "=&r"(x), [w] "=&r"(w), [a0] "=&r"(a0), [a1] "=&r"(a1),
              [a2] "=&r"(a2), [a3] "=&r"(a3)
            : [end] "m"(end), [steps] "m"(steps), [sums_end] "m"(sums_end)
            : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
        return;
    }
    const int32_t apart = 2 * stride;
    __asm__ volatile(
        "ldr r9, %[apart]\n\t"
        "add r10, r9, r9, lsl #1\n"
        "1:\n\t"
        "ldrd %[a0], %[a1], [%[sums]]\n\t"
        "ldrd %[a2], %[a3], [%[sums], #8]\n\t"
        "ldr %[w], %[steps]\n\t"
        "mov %[x], %[plane]\n"
        "2:\n\t" PLANES_FAR_STEP PLANES_FAR_STEP
        "ldr r4, %[end]\n\t"
        "cmp %[w], r4\n\t"
        "bne 2b\n\t"
        "ldr r4, %[sums_end]\n\t"
        "strd %[a0], %[a1], [%[sums]], #8\n\t"
        "strd %[a2], %[a3], [%[sums]], #8\n\t"
        "add %[plane], %[plane], r9, lsl #2\n\t"
        "cmp %[sums], r4\n\t"
        "bne 1b"
        : [sums] "+r"(sums), [plane] "+r"(plane), [x] "=&r"(x), [w] "=&r"(w), [a0] "=&r"(a0), [a1] "=&r"(a1),
          [a2] "=&r"(a2), [a3] "=&r"(a3)
        : [end] "m"(end), [steps] "m"(steps), [sums_end] "m"(sums_end), [apart] "m"(apart)
        : "r4", "r5", "r6", "r8", "r9", "r10", "cc", "memory");
}

/* Four sums to four outputs `step` bytes apart, `fours` times; the factor is below 1/2. */
static __attribute__((noinline)) void planes_rescale_fours(int8_t *output, const int32_t *sums, int32_t fours,
                                                           int32_t step, int32_t multiplier, int32_t shift,
                                                           int32_t rounding) {
    int32_t step3 = 3 * step;
    __asm__ volatile(
        "1:\n\t"
        "ldmia %[sums]!, {r4, r5, r6, r8}\n\t"
        REQUANTIZE_MULTIPLY("r4", "%[multiplier]") REQUANTIZE_MULTIPLY("r5", "%[multiplier]")
        REQUANTIZE_MULTIPLY("r6", "%[multiplier]") REQUANTIZE_MULTIPLY("r8", "%[multiplier]")
        REQUANTIZE_AWAY_FROM_ZERO("r4") REQUANTIZE_AWAY_FROM_ZERO("r5")
        REQUANTIZE_AWAY_FROM_ZERO("r6") REQUANTIZE_AWAY_FROM_ZERO("r8")
        REQUANTIZE_SHIFT("r4", "%[shift]") REQUANTIZE_SHIFT("r5", "%[shift]")
        REQUANTIZE_SHIFT("r6", "%[shift]") REQUANTIZE_SHIFT("r8", "%[shift]")
        REQUANTIZE_ROUND("r4", "%[rounding]") REQUANTIZE_ROUND("r5", "%[rounding]")
        REQUANTIZE_ROUND("r6", "%[rounding]") REQUANTIZE_ROUND("r8", "%[rounding]")
        REQUANTIZE_CLAMP("r4") REQUANTIZE_CLAMP("r5") REQUANTIZE_CLAMP("r6") REQUANTIZE_CLAMP("r8")
        "subs %[fours], %[fours], #1\n\t"
        "strb r4, [%[output]]\n\t"
        "strb r5, [%[output], %[step]]\n\t"
        "strb r6, [%[output], %[step], lsl #1]\n\t"
        "strb r8, [%[output], %[step3]]\n\t"
        "add %[output], %[output], %[step], lsl #2\n\t"
        "bne 1b"
        : [output] "+r"(output), [sums] "+r"(sums), [fours] "+r"(fours)
        : [step] "r"(step), [step3] "r"(step3), [multiplier] "r"(multiplier), [shift] "r"(shift),
          [rounding] "r"(rounding)
        : "r4", "r5", "r6", "r8", "cc", "memory");
}

/* The same by one rounding, for `count` sums. */
static __attribute__((noinline)) void planes_rescale_once(int8_t *output, const int32_t *sums, int32_t count,
                                                          int32_t step, int32_t multiplier, int32_t offset) {
    const int32_t step3 = 3 * step, *end = sums + count - 4;
    while (sums <= end) {
        __asm__ volatile(
            "ldmia %[sums]!, {r4, r5, r6, r8}\n\t"
            ONCE_MULTIPLY("r4", "%[multiplier]", "%[offset]") ONCE_MULTIPLY("r5", "%[multiplier]", "%[offset]")
            ONCE_MULTIPLY("r6", "%[multiplier]", "%[offset]") ONCE_MULTIPLY("r8", "%[multiplier]", "%[offset]")
            ONCE_CLAMP("r4") ONCE_CLAMP("r5") ONCE_CLAMP("r6") ONCE_CLAMP("r8")
            "strb r4, [%[output]]\n\t"
            "strb r5, [%[output], %[step]]\n\t"
            "strb r6, [%[output], %[step], lsl #1]\n\t"
            "strb r8, [%[output], %[step3]]\n\t"
            "add %[output], %[output], %[step], lsl #2"
            : [output] "+r"(output), [sums] "+r"(sums)
            : [step] "r"(step), [step3] "r"(step3), [multiplier] "r"(multiplier), [offset] "r"(offset)
            : "r4", "r5", "r6", "r8", "memory");
    }
    for (const int32_t *last = end + 4; sums != last; output += step) {
        int32_t y = *sums++;
        __asm__(ONCE_MULTIPLY("%0", "%1", "%2") "ssat %0, #8, %0, asr #4" : "+r"(y) : "r"(multiplier), "r"(offset));
        *output = (int8_t)y;
    }
}
/* clang-format on */

/* The same where the factor is 1/2 or more. */
KERNEL_INLINE void planes_rescale_left(int8_t *output, const int32_t *sums, int32_t count, int32_t step,
                                       int32_t multiplier, int32_t shift, int32_t zero_point) {
    for (; count > 0; count--, output += step) {
        int32_t y = (int32_t)((uint32_t)*sums++ << shift);
        __asm__("smmlar %0, %0, %1, %0\n\tqadd %0, %0, %2\n\tssat %0, #8, %0"
                : "+r"(y)
                : "r"(multiplier), "r"(zero_point));
        *output = (int8_t)y;
    }
}

#endif
