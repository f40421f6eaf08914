/* SPDX-License-Identifier: Apache-2.0
 * Start of a RISC-V core in machine mode: global pointer, stack, .data and .bss, main.
 */
#include <stdint.h>

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];

int main(void);
void startup_reset(void);
void startup_c(void);

/* First in flash, since that is where the core begins. A trap is a bug of ours: it stands still, so that the host times
 * out and says so, rather than answer nonsense. */
__attribute__((naked, used, section(".vectors"))) void startup_reset(void) {
    __asm volatile(
        ".option push\n"
        ".option norelax\n"
        "la gp, __global_pointer$\n"
        ".option pop\n"
        "la sp, __stack_top\n"
        "la t0, 1f\n"
        "csrw mtvec, t0\n"
        "call startup_c\n"
        ".align 2\n"
        "1: wfi\n"
        "j 1b\n");
}

__attribute__((used)) void startup_c(void) {
    const uint32_t *from = __data_load;
    for (volatile uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0;
    }
    (void)main();
}
