/* SPDX-License-Identifier: Apache-2.0
 * Measures regions of known length with the board's own HAL; one count a line. Entry: measure(), called after hal_init.
 */
#include "hal.h"

#define REGION(count)                                                  \
    do {                                                               \
        const uint32_t start = hal_ticks();                            \
        __asm volatile(".rept " #count "\n nop\n .endr" ::: "memory"); \
        report(hal_elapsed(start));                                    \
    } while (0)

void measure(void);
void settle(void); /* returns when nothing is being sent any more: that takes interrupts on some boards */

static void report(uint32_t value) {
    char text[11];
    size_t first = sizeof text - 1;
    text[first] = '\n';
    do {
        text[--first] = (char)('0' + value % 10U);
        value /= 10U;
    } while (value != 0);
    hal_write(&text[first], sizeof text - first);
    settle();
}

/* Not inlined, as the loop below: the compiler takes the asm for a short one, and a branch across it would not reach. */
__attribute__((noinline)) static void hundred(void) {
    REGION(100);
}

#ifdef __AVR__
/* 2 cycles for the count, 4 a turn, the last a cycle shorter: 80,001, in which Timer1 overflows at least once. It keeps
 * off the registers of `start`, which would have to be moved out of its way. */
static void loop(void) {
    const uint32_t start = hal_ticks();
    __asm volatile("ldi r30, lo8(20000)\n ldi r31, hi8(20000)\n 1: sbiw r30, 1\n brne 1b" ::: "r30", "r31", "memory");
    report(hal_elapsed(start));
}
#else
__attribute__((noinline)) static void loop(void) {
    REGION(20000);
}

/* Two instructions a turn, all but the last with a branch that is taken: 20,000, too. */
#ifdef __arm__
#define TURN ".syntax unified\n 1: subs %0, %0, #1\n bne 1b"
#define COUNTER "+l" /* a register of the Cortex-M0's short instructions */
#else
#define TURN "1: addi %0, %0, -1\n bnez %0, 1b"
#define COUNTER "+r"
#endif
__attribute__((noinline)) static void branches(void) {
    uint32_t turns = 10000;
    __asm volatile("" : COUNTER(turns)); /* in its register before the clock is read */
    const uint32_t start = hal_ticks();
    __asm volatile(TURN : COUNTER(turns) : : "cc", "memory");
    report(hal_elapsed(start));
}
#endif

void measure(void) {
    /* Every phase of the tick against the instruction comes up: the reports in between take odd times. */
    for (int i = 0; i < 8; i++) {
        REGION(0);
        REGION(1);
        REGION(2);
        REGION(3);
        REGION(7);
        hundred();
        loop();
#ifndef __AVR__
        branches();
#endif
    }
    hal_write("end\n", 4);
}
