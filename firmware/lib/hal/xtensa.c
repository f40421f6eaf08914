/* SPDX-License-Identifier: Apache-2.0
 * Xtensa: the cycle counter as the timer, and sleep until an interrupt (Xtensa Instruction Set Architecture Reference
 * Manual, 4.4.4 to 4.4.6).
 */
#include "hal.h"
#include "sleep.h"
#include "timer.h"

void sleep_init(void) {
}

void sleep_until_uart(void) {
    /* The line stands while a byte waits, so one that came before ends `waiti` at once. startup_xtensa.c takes the
     * interrupt and switches it off. */
    uint32_t lines = 1UL << HAL_UART_IRQ;
    __asm volatile("wsr %0, intenable\n"
                   "rsync\n"
                   "waiti 0\n"
                   "rsil %0, 15\n"
                   : "+r"(lines)
                   :
                   : "memory");
}

void timer_init(void) {
}

__attribute__((noinline)) uint32_t hal_ticks(void) {
    uint32_t count;
    __asm volatile("rsr %0, ccount" : "=r"(count) : : "memory");
    return count;
}
