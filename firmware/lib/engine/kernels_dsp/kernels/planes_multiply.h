/* SPDX-License-Identifier: Apache-2.0
 * The inner loops of conv_planes_s8, for cores with the DSP extension.
 */
#ifndef TINYPROOF_KERNELS_PLANES_MULTIPLY_H
#define TINYPROOF_KERNELS_PLANES_MULTIPLY_H

#include "kernels/pairs_steps.h"
#include "kernels/planes_outputs.h"

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
static __attribute__((noinline, hot)) void planes_spread(word *step, const int8_t *weights,
                                                         const struct planes_shape *shape) {
    const int32_t last = shape->steps - 1, left_over = shape->width - 2 * last; /* none, one or two in the last step */
    const word gap = (word)shape->gap;
    const int8_t *row_end = weights + 2 * last;
    for (int32_t ky = shape->height; ky > 0; ky--, row_end += shape->width) {
        int32_t before = 0;
        while (weights != row_end) {
            const int32_t first = *weights++, second = *weights++;
            *step++ = planes_word(first, second);
            *step++ = planes_word(before, first);
            *step++ = 4;
            before = second;
        }
        const int32_t first = left_over > 0 ? *weights++ : 0, second = left_over > 1 ? *weights++ : 0;
        *step++ = planes_word(first, second);
        *step++ = planes_word(before, first);
        *step++ = gap;
    }
    if (shape->height * shape->steps % 2 != 0) { /* once more, times nothing */
        step[-1] = 0;
        step[0] = 0;
        step[1] = 0;
        step[2] = 0;
    }
}

/* The steps are filled up to an even number of them. */
KERNEL_INLINE const word *planes_steps_end(const word *steps, const struct planes_shape *shape) {
    return steps + 3 * ((shape->height * shape->steps + 1) & ~1);
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
    "ldmia %[w]!, {r9, r10, r11}\n\t"                                                                                  \
    "ldrd %[t], r12, [%[x]]\n\t"                                                                                       \
    "add %[x], %[x], r11\n\t"                                                                                          \
    PAIRS_SMLAD("r4", "r9", "%[t]") PAIRS_SMLAD("r5", "r10", "%[t]")                                                   \
    PAIRS_SMLAD("r6", "r9", "r12") PAIRS_SMLAD("r8", "r10", "r12")

/* Two taps of every other place: four words. */
#define PLANES_EVEN_STEP                                                                                               \
    "ldmia %[w]!, {r9, r10, r11}\n\t"                                                                                  \
    "ldrd %[t], r12, [%[x]]\n\t"                                                                                       \
    PAIRS_SMLAD("r4", "r9", "%[t]") PAIRS_SMLAD("r5", "r9", "r12")                                                     \
    "ldrd %[t], r12, [%[x], #8]\n\t"                                                                                   \
    "add %[x], %[x], r11\n\t"                                                                                          \
    PAIRS_SMLAD("r6", "r9", "%[t]") PAIRS_SMLAD("r8", "r9", "r12")

/* Two taps of four outputs that lie `t` bytes apart; r12 is three times that. */
#define PLANES_FAR_STEP                                                                                                \
    "ldmia %[w]!, {r9, r10, r11}\n\t"                                                                                  \
    "ldr r10, [%[x]]\n\t"                                                                                              \
    PAIRS_SMLAD("r4", "r9", "r10")                                                                                     \
    "ldr r10, [%[x], %[t]]\n\t"                                                                                        \
    PAIRS_SMLAD("r5", "r9", "r10")                                                                                     \
    "ldr r10, [%[x], %[t], lsl #1]\n\t"                                                                                \
    PAIRS_SMLAD("r6", "r9", "r10")                                                                                     \
    "ldr r10, [%[x], r12]\n\t"                                                                                         \
    "add %[x], %[x], r11\n\t"                                                                                          \
    PAIRS_SMLAD("r8", "r9", "r10")

/* Adds a channel's share to `fours` times four sums, which are side by side as their first taps are. */
#define PLANES_ADD(begin, step)                                                                                        \
    __asm__ volatile(                                                                                                  \
        begin ALIGN_LOOP                                                                                               \
        "1:\n\t"                                                                                                       \
        "ldr %[w], %[steps]\n\t"                                                                                       \
        "ldmia %[sums], {r4, r5, r6, r8}\n\t"                                                                          \
        "mov %[x], %[plane]\n"                                                                                         \
        "2:\n\t" step step                                                                                             \
        "cmp %[w], %[end]\n\t"                                                                                         \
        "bne 2b\n\t"                                                                                                   \
        "stmia %[sums]!, {r4, r5, r6, r8}\n\t"                                                                         \
        "ldr r9, %[advance]\n\t"                                                                                       \
        "ldr r10, %[sums_end]\n\t"                                                                                     \
        "add %[plane], %[plane], r9\n\t"                                                                               \
        "cmp %[sums], r10\n\t"                                                                                         \
        "bne 1b"                                                                                                       \
        : [sums] "+r"(sums), [plane] "+r"(plane), [x] "=&r"(x), [w] "=&r"(w), [t] "=&r"(t)                             \
        : [end] "r"(end), [steps] "m"(steps), [sums_end] "m"(sums_end), [advance] "m"(advance)                         \
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory")

static __attribute__((noinline)) void planes_multiply(int32_t *sums, int32_t fours, const int16_t *plane,
                                                      int32_t stride, const word *steps,
                                                      const struct planes_shape *shape) {
    const int16_t *x;
    const word *w, *const end = planes_steps_end(steps, shape);
    const int32_t *const sums_end = sums + 4 * fours;
    const int32_t advance = 8 * stride;
    int32_t t;
    if (stride == 1) {
        PLANES_ADD("", PLANES_STEP);
    } else if (stride == 2) {
        PLANES_ADD("", PLANES_EVEN_STEP);
    } else {
        PLANES_ADD("ldr %[t], %[advance]\n\tasr %[t], %[t], #2\n\tadd r12, %[t], %[t], lsl #1\n\t", PLANES_FAR_STEP);
    }
}

#define PLANES_EACH(step) step("r4") step("r5") step("r6") step("r8")
#define PLANES_ONCE(a) ONCE_MULTIPLY(a, "r10", "r11")
#define PLANES_PRODUCT(a) REQUANTIZE_MULTIPLY(a, "r10")
#define PLANES_SHIFT(a) REQUANTIZE_SHIFT(a, "r11")
#define PLANES_SHIFT_LEFT(a) REQUANTIZE_SHIFT_LEFT(a, "r11")
#define PLANES_ROUND(a) REQUANTIZE_ROUND(a, "r12")
#define PLANES_CLAMP(a) "ssat " a ", #8, " a "\n\t"

/* What becomes of sums; the first is what most layers need. */
enum { PLANES_BY_ONE, PLANES_BY_TWO, PLANES_LEFT };

/* Outputs of a unit in a strip, four of a row at a time; the first one's first tap is at `plane`. With a stride of 0
 * their sums are there instead. The last four of a row may be fewer: then the others are made, and not written. */
static __attribute__((noinline, hot)) void planes_rows(int8_t *output, const int16_t *plane, const word *steps,
                                                  const struct planes_shape *shape,
                                                  const struct planes_outputs *outputs, const int32_t *scales,
                                                  int32_t rounding) {
    const int32_t biases[4] = {scales[0], scales[0], scales[0], scales[0]}, *const from = biases;
    const int32_t once = rounds_once(scales[1]), to_left = !once && scales[2] < 0;
    const int32_t twice = to_left ? PLANES_LEFT : PLANES_BY_TWO, way = once ? PLANES_BY_ONE : twice;
    const int32_t factors[2] = {scales[1], to_left ? scales[2] >> 8 & 0x1f : scales[2]};
    const int32_t addend = to_left ? rounding >> 1 : rounding;
    const int32_t before = (outputs->count - 1) & ~3, last = outputs->count - before;
    const int32_t step = outputs->step, step_y = outputs->step_y, row = outputs->row, stride = outputs->stride;
    const word *const end = planes_steps_end(steps, shape);
    int8_t *begin = output, *row_last = output + before * step;
    const int16_t *first = plane, *x;
    const word *w;
    int32_t rows = outputs->rows, t;
    __asm__ volatile(
        ALIGN_LOOP
        "1:\n\t"
        "ldr r9, %[from]\n\t"
        "ldr r10, %[stride]\n\t"
        "ldr %[w], %[steps]\n\t"
        "ldmia r9, {r4, r5, r6, r8}\n\t"
        "mov %[x], %[plane]\n\t"
        "cmp r10, #1\n\t"
        "bne 7f\n\t"
        "add %[plane], %[plane], #8\n\t"
        ALIGN_LOOP
        "2:\n\t" PLANES_STEP PLANES_STEP
        "cmp %[w], %[end]\n\t"
        "bne 2b\n"
        "3:\n\t"
        "ldr r9, %[way]\n\t"
        "ldrd r10, r11, %[factors]\n\t"
        "cmp r9, #0\n\t"
        "bne 11f\n\t"
        PLANES_EACH(PLANES_ONCE) PLANES_EACH(ONCE_CLAMP) "\n"
        "4:\n\t"
        "ldr r9, %[step]\n\t"
        "ldr r12, %[row_last]\n\t"
        "strb r4, [%[output]]\n\t"
        "cmp %[output], r12\n\t"
        "beq 5f\n\t"
        "strb r5, [%[output], r9]\n\t"
        "add %[output], %[output], r9, lsl #1\n\t"
        "strb r6, [%[output]]\n\t"
        "strb r8, [%[output], r9]\n\t"
        "add %[output], %[output], r9, lsl #1\n\t"
        "b 1b\n"
        "5:\n\t" /* the last of a row */
        "ldr r10, %[last]\n\t"
        "cmp r10, #1\n\t"
        "beq 6f\n\t"
        "strb r5, [%[output], r9]\n\t"
        "cmp r10, #2\n\t"
        "beq 6f\n\t"
        "add %[output], %[output], r9, lsl #1\n\t"
        "strb r6, [%[output]]\n\t"
        "cmp r10, #3\n\t"
        "beq 6f\n\t"
        "strb r8, [%[output], r9]\n"
        "6:\n\t"
        "ldr r9, %[rows]\n\t"
        "ldr r10, %[step_y]\n\t"
        "ldr r11, %[row]\n\t"
        "ldr r12, %[row_last]\n\t"
        "ldr %[output], %[begin]\n\t"
        "ldr %[plane], %[first]\n\t"
        "add r12, r12, r10\n\t"
        "add %[output], %[output], r10\n\t"
        "add %[plane], %[plane], r11\n\t"
        "str r12, %[row_last]\n\t"
        "str %[output], %[begin]\n\t"
        "str %[plane], %[first]\n\t"
        "subs r9, r9, #1\n\t"
        "str r9, %[rows]\n\t"
        "bne 1b\n\t"
        "b 14f\n"
        "7:\n\t"
        "cmp r10, #0\n\t"
        "beq 13f\n\t"
        "add %[plane], %[plane], r10, lsl #3\n\t"
        "cmp r10, #2\n\t"
        "bne 9f\n\t"
        ALIGN_LOOP
        "8:\n\t" PLANES_EVEN_STEP PLANES_EVEN_STEP
        "cmp %[w], %[end]\n\t"
        "bne 8b\n\t"
        "b 3b\n"
        "9:\n\t"
        "add %[t], r10, r10\n\t"
        "add r12, %[t], r10, lsl #2\n"
        "10:\n\t" PLANES_FAR_STEP
        "cmp %[w], %[end]\n\t"
        "bne 10b\n\t"
        "b 3b\n"
        "11:\n\t"
        "ldr r12, %[addend]\n\t"
        "cmp r9, #1\n\t"
        "bne 12f\n\t"
        PLANES_EACH(PLANES_PRODUCT) PLANES_EACH(REQUANTIZE_AWAY_FROM_ZERO) PLANES_EACH(PLANES_SHIFT)
        PLANES_EACH(PLANES_ROUND) PLANES_EACH(REQUANTIZE_CLAMP)
        "b 4b\n"
        "12:\n\t"
        PLANES_EACH(PLANES_SHIFT_LEFT) PLANES_EACH(PLANES_PRODUCT) PLANES_EACH(PLANES_ROUND) PLANES_EACH(PLANES_CLAMP)
        "b 4b\n"
        "13:\n\t"
        "ldmia %[plane]!, {r4, r5, r6, r8}\n\t"
        "b 3b\n"
        "14:"
        : [output] "+r"(output), [plane] "+r"(plane), [x] "=&r"(x), [w] "=&r"(w), [t] "=&r"(t),
          [row_last] "+m"(row_last), [begin] "+m"(begin), [first] "+m"(first), [rows] "+m"(rows)
        : [end] "r"(end), [from] "m"(from), [steps] "m"(steps), [stride] "m"(stride), [way] "m"(way),
          [factors] "m"(factors), [addend] "m"(addend), [step] "m"(step), [last] "m"(last), [step_y] "m"(step_y),
          [row] "m"(row)
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
}
/* clang-format on */

#endif
