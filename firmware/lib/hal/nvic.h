/* SPDX-License-Identifier: Apache-2.0
 * Sleep until a peripheral's interrupt line rises, without a handler: ARMv6-M Architecture Reference Manual B3.4.
 */
#ifndef TINYPROOF_NVIC_H
#define TINYPROOF_NVIC_H

#include <stdint.h>

#define NVIC_REGISTER(base, irq) (*(volatile uint32_t *)((base) + 4UL * ((irq) / 32UL)))

static inline void nvic_enable(uint32_t irq) {
    NVIC_REGISTER(0xE000E100UL, irq) = 1UL << (irq % 32UL);
}

/* PRIMASK is set: the interrupt ends WFI and stays pending, so that one which comes just before is not slept through. */
static inline void nvic_sleep(void) {
    __asm volatile("wfi" ::: "memory");
}

static inline void nvic_clear(uint32_t irq) {
    NVIC_REGISTER(0xE000E280UL, irq) = 1UL << (irq % 32UL);
}

#endif
