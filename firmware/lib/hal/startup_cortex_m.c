/* SPDX-License-Identifier: Apache-2.0
 * Start of any Cortex-M: vectors, FPU, .data and .bss, main. Interrupts stay masked (PRIMASK) and only wake the
 * core from WFI, so the table needs no entry beyond the sixteen of the core itself.
 */
#include <stdint.h>

/* Coprocessor Access Control Register, ARMv7-M Architecture Reference Manual B3.2.20. */
#define CPACR (*(volatile uint32_t *)0xE000ED88UL)
#define CPACR_CP10_CP11_FULL (0xFUL << 20)

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_top[];

int main(void);
void startup_reset(void); /* NOLINT(misc-use-internal-linkage): the linker script's entry */

/* A fault is a bug of ours: stand still, so that the host times out and says so, rather than answer nonsense. */
static void startup_fault(void) {
    for (;;) {
        __asm volatile("wfi");
    }
}

void startup_reset(void) {
    __asm volatile("cpsid i");
#ifdef __ARM_FP
    CPACR |= CPACR_CP10_CP11_FULL;
    __asm volatile("dsb\n isb");
#endif
    const uint32_t *from = __data_load;
    for (volatile uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0;
    }
    (void)main();
    startup_fault();
}

struct vectors {
    uint32_t *stack;
    void (*handlers[15])(void);
};

__attribute__((used, section(".vectors"))) static const struct vectors startup_vectors = {
    __stack_top,
    {
        startup_reset,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        startup_fault,
        0,
        0,
        0,
        0,
        startup_fault,
        startup_fault,
        0,
        startup_fault,
        startup_fault,
    },
};
