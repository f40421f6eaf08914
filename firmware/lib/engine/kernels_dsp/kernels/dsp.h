/* SPDX-License-Identifier: Apache-2.0
 * What the kernels for ARM's DSP extension (Armv7E-M: Cortex-M4, M7; Armv8-M: M33, M55) share. Bit-exact with the
 * plain kernels.
 *
 * Columns are inputs widened to int16, four bytes to two words, (x0, x2) and (x1, x3), as SXTB16 leaves them; the
 * exporter lays weights out in the same order.
 */
#ifndef TINYPROOF_KERNELS_DSP_H
#define TINYPROOF_KERNELS_DSP_H

#include "kernels/requantize.h"

/* Words of memory: byte buffers and int16 tables are read through them. All these cores load single
 * words, and halves, from anywhere. */
typedef uint32_t __attribute__((may_alias, aligned(1))) loose_word;
typedef uint16_t __attribute__((may_alias, aligned(1))) loose_half;
typedef uint32_t __attribute__((may_alias)) word;

KERNEL_INLINE uint32_t widen_even(uint32_t bytes) {
    uint32_t halves;
    __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(bytes));
    return halves;
}

KERNEL_INLINE uint32_t widen_odd(uint32_t bytes) {
    uint32_t halves;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(bytes));
    return halves;
}

/* Of each of four bytes the greater, and the lesser one. */
KERNEL_INLINE uint32_t greatest_bytes(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

KERNEL_INLINE uint32_t least_bytes(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm__("ssub8 %0, %2, %1\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
    return result;
}

/* The sums of two halves each. */
KERNEL_INLINE uint32_t add_halves(uint32_t a, uint32_t b) {
    uint32_t sums;
    __asm__("sadd16 %0, %1, %2" : "=r"(sums) : "r"(a), "r"(b));
    return sums;
}

/* `sum` and the products of both halves. */
KERNEL_INLINE int32_t dual_multiply(uint32_t halves, uint32_t others, int32_t sum) {
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(halves), "r"(others));
    return sum;
}

/* A number that the compiler may know, but should rather hold: an operand that is added can be shifted in the same
 * instruction, which one that is written there cannot. */
#define IN_REGISTER(number) __asm__("" : "+r"(number))

/* round(a * multiplier / 2^31), see requantize.h. */
KERNEL_INLINE int32_t high_multiply(int32_t a, int32_t multiplier_minus) {
    int32_t result;
    __asm__("smmlar %0, %1, %2, %1" : "=r"(result) : "r"(a), "r"(multiplier_minus));
    return result;
}

/* An accumulator to an output of int8; the factor is below 1/2. */
KERNEL_INLINE int8_t rescale_s8(int32_t a, int32_t multiplier_minus, int32_t halving_shift, int32_t rounding) {
    int32_t t = high_multiply(a, multiplier_minus);
    t = ((t + (t >> 31)) >> halving_shift) + rounding;
    __asm__("ssat %0, #8, %1, asr #1" : "=r"(t) : "r"(t));
    return (int8_t)t;
}

/* Assembly: in front of a loop. A Cortex-M4 takes a cycle more for an instruction across two words that is branched to,
 * or that loads behind another load; most instructions of these loops have 32 bits. */
#define ALIGN_LOOP ".balign 4\n\t"

/* Assembly: accumulators to outputs with TFLite's two roundings, see requantize.h. A step for all of them at a time, so
 * that a core with latencies is kept busy. SSAT and QADD set the sticky Q flag at most, which nobody reads.
 */
#define REQUANTIZE_SHIFT_LEFT(a, shift) "lsl " a ", " a ", " shift "\n\t"
/* Doubles what is not rescaled to the right: its halving shift is 0, and halving it again rounds nothing. */
#define REQUANTIZE_DOUBLE(a, mask, t) "and " t ", " a ", " mask "\n\tqadd " a ", " a ", " t "\n\t"
#define REQUANTIZE_MULTIPLY(a, multiplier) "smmlar " a ", " a ", " multiplier ", " a "\n\t"
#define REQUANTIZE_AWAY_FROM_ZERO(a) "add " a ", " a ", " a ", asr #31\n\t"
#define REQUANTIZE_SHIFT(a, shift) "asr " a ", " a ", " shift "\n\t"
/* The rounding of what was doubled may saturate. */
#define REQUANTIZE_ROUND(a, rounding) "qadd " a ", " a ", " rounding "\n\t"
#define REQUANTIZE_CLAMP(a) "ssat " a ", #8, " a ", asr #1\n\t"

/* By one rounding, see rescale_once_s8 of pairs.h: ONE_SHIFT is 4, and a sum of 256 times as much needs 8 more. */
#define ONCE_MULTIPLY(a, multiplier, offset) "smmla " a ", " a ", " multiplier ", " offset "\n\t"
#define ONCE_CLAMP(a) "ssat " a ", #8, " a ", asr #4\n\t"
#define ONCE_CLAMP_256(a) "ssat " a ", #8, " a ", asr #12\n\t"

#endif
