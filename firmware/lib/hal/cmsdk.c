/* SPDX-License-Identifier: Apache-2.0
 * Arm CMSDK UART and timer, as on the MPS2 and MPS3 boards (Cortex-M System Design Kit TRM, DDI 0479, chapters 4.2
 * and 4.3). Addresses and the tick's worth come from the board's TOML.
 */
#include "hal.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(HAL_UART_BASE + 0x00UL)
#define UART_STATE REGISTER(HAL_UART_BASE + 0x04UL)
#define UART_CTRL REGISTER(HAL_UART_BASE + 0x08UL)
#define UART_INTCLEAR REGISTER(HAL_UART_BASE + 0x0CUL)
#define UART_BAUDDIV REGISTER(HAL_UART_BASE + 0x10UL)
#define STATE_TX_FULL 0x1UL
#define STATE_RX_FULL 0x2UL
#define CTRL_TX_RX_RXIRQ 0xBUL
#define INT_RX 0x2UL
#define BAUDDIV_MINIMUM 16UL /* the emulated wire has no rate; the model only refuses less than 16 */

#define TIMER_CTRL REGISTER(HAL_TIMER_BASE + 0x00UL)
#define TIMER_VALUE REGISTER(HAL_TIMER_BASE + 0x04UL)
#define TIMER_RELOAD REGISTER(HAL_TIMER_BASE + 0x08UL)
#define TIMER_ENABLE 0x1UL

#define NVIC_ISER REGISTER(0xE000E100UL + 4UL * (HAL_UART_IRQ / 32UL))
#define NVIC_ICPR REGISTER(0xE000E280UL + 4UL * (HAL_UART_IRQ / 32UL))
#define NVIC_UART (1UL << (HAL_UART_IRQ % 32UL))

const char hal_board[] = HAL_BOARD;
const char hal_tick_unit[] = HAL_TICK_UNIT;

static uint32_t hal_overhead; /* what hal_elapsed reads over an empty region, in hal_tick_unit */

void hal_init(void) {
    UART_BAUDDIV = BAUDDIV_MINIMUM;
    UART_CTRL = CTRL_TX_RX_RXIRQ;
    NVIC_ISER = NVIC_UART;
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = TIMER_ENABLE;
    hal_overhead = 0;
    hal_overhead = hal_elapsed(hal_ticks());
}

int hal_read(void) {
    /* PRIMASK is set: the interrupt ends WFI and stays pending, so a byte that comes between the test and WFI is
     * not slept through. */
    while (!(UART_STATE & STATE_RX_FULL)) {
        __asm volatile("wfi" ::: "memory");
        UART_INTCLEAR = INT_RX;
        NVIC_ICPR = NVIC_UART;
    }
    return (int)(UART_DATA & 0xFFUL);
}

void hal_write(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while (UART_STATE & STATE_TX_FULL) {
        }
        UART_DATA = (uint32_t)(unsigned char)bytes[i];
    }
}

/* Never inlined, so that the overhead measured in hal_init is the one that every caller pays. */
__attribute__((noinline)) uint32_t hal_ticks(void) {
    return UINT32_MAX - TIMER_VALUE; /* it counts down */
}

__attribute__((noinline)) uint32_t hal_elapsed(uint32_t start) {
    const uint32_t ticks = hal_ticks() - start;
    const uint64_t units = ((uint64_t)ticks * HAL_TICK_MULTIPLIER + HAL_TICK_DIVISOR / 2U) / HAL_TICK_DIVISOR;
    return (uint32_t)units - hal_overhead;
}
