/* SPDX-License-Identifier: Apache-2.0
 * RISC-V in machine mode: the counter of retired instructions as the timer, and the PLIC for waking up (RISC-V
 * Privileged Architecture 3.1.11 and 3.3.3; RISC-V PLIC Specification 1.0).
 */
#include "hal.h"
#include "sleep.h"
#include "timer.h"

/* Context 0 is hart 0 in machine mode. */
#define PLIC(offset) (*(volatile uint32_t *)(HAL_PLIC_BASE + (offset)))
#define PLIC_PRIORITY PLIC(4UL * HAL_UART_IRQ)
#define PLIC_ENABLE PLIC(0x2000UL + 4UL * (HAL_UART_IRQ / 32UL))
#define PLIC_THRESHOLD PLIC(0x200000UL)
#define PLIC_CLAIM PLIC(0x200004UL)
#define MIE_MACHINE_EXTERNAL (1UL << 11)

void sleep_init(void) {
    PLIC_PRIORITY = 1;
    PLIC_ENABLE = 1UL << (HAL_UART_IRQ % 32UL);
    PLIC_THRESHOLD = 0;
    __asm volatile("csrs mie, %0" : : "r"(MIE_MACHINE_EXTERNAL));
}

void sleep_until_uart(void) {
    /* mstatus.MIE is clear: the interrupt ends WFI and is not taken; one that came before ends it at once. */
    __asm volatile("wfi" ::: "memory");
    const uint32_t source = PLIC_CLAIM;
    if (source != 0) {
        PLIC_CLAIM = source;
    }
}

void timer_init(void) {
}

__attribute__((noinline)) uint32_t hal_ticks(void) {
    uint32_t retired;
    __asm volatile("csrr %0, minstret" : "=r"(retired) : : "memory");
    return retired;
}
