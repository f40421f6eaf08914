/* SPDX-License-Identifier: Apache-2.0
 * Measures regions of known length with the board's own HAL; one count a line.
 */
#include "hal.h"

#define REGION(count)                                                \
    do {                                                             \
        const uint32_t start = hal_ticks();                          \
        __asm volatile(".rept " #count "\n nop\n .endr" ::: "memory"); \
        report(hal_elapsed(start));                                  \
    } while (0)

static void report(uint32_t value) {
    char text[11];
    size_t first = sizeof text - 1;
    text[first] = '\n';
    do {
        text[--first] = (char)('0' + value % 10U);
        value /= 10U;
    } while (value != 0);
    hal_write(&text[first], sizeof text - first);
}

/* One instruction, then two a turn: 20,001. */
static void loop(void) {
    const uint32_t start = hal_ticks();
    __asm volatile("movw r3, #10000\n1: subs r3, r3, #1\n bne 1b" ::: "r3", "cc", "memory");
    report(hal_elapsed(start));
}

int main(void) {
    hal_init();
    /* Every phase of the tick against the instruction comes up: the reports in between take odd times. */
    for (int i = 0; i < 8; i++) {
        REGION(0);
        REGION(1);
        REGION(2);
        REGION(3);
        REGION(7);
        REGION(100);
        loop();
    }
    hal_write("end\n", 4);
    for (;;) {
        (void)hal_read();
    }
}
