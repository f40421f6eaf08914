/* SPDX-License-Identifier: Apache-2.0
 * Raspberry Pi's RP2040 (RP2040 Datasheet): the clocks up to 125 MHz from the crystal of 12 MHz, UART 0 (a PL011), and
 * the core's cycles. Sections of the datasheet stand beside the registers.
 */
#include "hal.h"
#include "nvic.h"
#include "ticks.h"

#define REGISTER(base, offset) (*(volatile uint32_t *)((base) + (offset)))
#define CLEAR 0x3000UL /* alias of a register whose ones clear bits, 2.1.2 */

/* 2.14 */
#define RESETS_CLEAR REGISTER(0x4000C000UL, CLEAR)
#define RESETS_DONE REGISTER(0x4000C000UL, 0x08UL)
/* pins, pads, PLL, timer, UART */
#define USED_BLOCKS ((1UL << 5) | (1UL << 8) | (1UL << 12) | (1UL << 21) | (1UL << 22))

/* 2.16 */
#define XOSC_CTRL REGISTER(0x40024000UL, 0x00UL)
#define XOSC_STATUS REGISTER(0x40024000UL, 0x04UL)
#define XOSC_STARTUP REGISTER(0x40024000UL, 0x0CUL)
#define XOSC_ENABLE_1_15_MHZ 0x00FABAA0UL
#define XOSC_STARTUP_1_MS 47UL
#define XOSC_STABLE (1UL << 31)

/* 2.18: 12 MHz times 125, by 6 and by 2 */
#define PLL_CS REGISTER(0x40028000UL, 0x00UL)
#define PLL_PWR_CLEAR REGISTER(0x40028000UL, CLEAR + 0x04UL)
#define PLL_FBDIV REGISTER(0x40028000UL, 0x08UL)
#define PLL_PRIM REGISTER(0x40028000UL, 0x0CUL)
#define PLL_REFDIV_1 1UL
#define PLL_LOCKED (1UL << 31)
#define PLL_POWER_VCO ((1UL << 5) | (1UL << 0))
#define PLL_POWER_POSTDIV (1UL << 3)
#define PLL_TIMES 125UL
#define PLL_BY_6_AND_2 ((6UL << 16) | (2UL << 12))

/* 2.15 */
#define CLK_REF_CTRL REGISTER(0x40008000UL, 0x30UL)
#define CLK_REF_SELECTED REGISTER(0x40008000UL, 0x38UL)
#define CLK_SYS_CTRL REGISTER(0x40008000UL, 0x3CUL)
#define CLK_SYS_SELECTED REGISTER(0x40008000UL, 0x44UL)
#define CLK_PERI_CTRL REGISTER(0x40008000UL, 0x48UL)
#define CLK_REF_XOSC 2UL
#define CLK_SYS_PLL 1UL
#define CLK_PERI_ENABLE_SYS (1UL << 11)

/* 4.7.2: the timer's microseconds are made in the watchdog */
#define WATCHDOG_TICK REGISTER(0x40058000UL, 0x2CUL)
#define TICK_OF_12_MHZ ((1UL << 9) | 12UL)
#define TIMER_US REGISTER(HAL_TIMER_BASE, 0x28UL) /* 4.6 */
#define CYCLES_PER_US 125UL

/* 2.19.6 */
#define PIN_CTRL(pin) REGISTER(0x40014000UL, 8UL * (pin) + 4UL)
#define PIN_UART 2UL

/* 4.2 */
#define UART_DR REGISTER(HAL_UART_BASE, 0x00UL)
#define UART_FR REGISTER(HAL_UART_BASE, 0x18UL)
#define UART_IBRD REGISTER(HAL_UART_BASE, 0x24UL)
#define UART_FBRD REGISTER(HAL_UART_BASE, 0x28UL)
#define UART_LCR_H REGISTER(HAL_UART_BASE, 0x2CUL)
#define UART_CR REGISTER(HAL_UART_BASE, 0x30UL)
#define UART_IMSC REGISTER(HAL_UART_BASE, 0x38UL)
#define UART_ICR REGISTER(HAL_UART_BASE, 0x44UL)
#define BAUD_115200_INTEGER 67UL /* 125 MHz / (16 x 115,200) = 67 + 52/64 */
#define BAUD_115200_64THS 52UL
#define EIGHT_BITS_FIFOS ((3UL << 5) | (1UL << 4))
#define TX_RX_ENABLED ((1UL << 9) | (1UL << 8) | 1UL)
#define TX_FULL (1UL << 5)
#define RX_EMPTY (1UL << 4)
#define INT_RX_AND_PAUSE ((1UL << 6) | (1UL << 4)) /* bytes wait, many, or few and none after them */

/* ARMv6-M Architecture Reference Manual B3.2.7 and B3.3 */
#define SCR REGISTER(0xE000ED10UL, 0UL)
#define SCR_SEVONPEND (1UL << 4)
#define SYST_CSR REGISTER(0xE000E010UL, 0x00UL)
#define SYST_RVR REGISTER(0xE000E010UL, 0x04UL)
#define SYST_CVR REGISTER(0xE000E010UL, 0x08UL)
#define SYST_ENABLE_CORE_CLOCK 5UL
#define SYST_MASK 0x00FFFFFFUL

static uint32_t clocks_apart; /* what the timer, in cycles, is ahead of SysTick's count */

static void clocks_init(void) {
    XOSC_STARTUP = XOSC_STARTUP_1_MS;
    XOSC_CTRL = XOSC_ENABLE_1_15_MHZ;
    while (!(XOSC_STATUS & XOSC_STABLE)) {
    }
    CLK_REF_CTRL = CLK_REF_XOSC;
    while (!(CLK_REF_SELECTED & (1UL << CLK_REF_XOSC))) {
    }
    RESETS_CLEAR = USED_BLOCKS;
    while ((RESETS_DONE & USED_BLOCKS) != USED_BLOCKS) {
    }
    PLL_CS = PLL_REFDIV_1;
    PLL_FBDIV = PLL_TIMES;
    PLL_PWR_CLEAR = PLL_POWER_VCO;
    while (!(PLL_CS & PLL_LOCKED)) {
    }
    PLL_PRIM = PLL_BY_6_AND_2;
    PLL_PWR_CLEAR = PLL_POWER_POSTDIV;
    CLK_SYS_CTRL = CLK_SYS_PLL;
    while (!(CLK_SYS_SELECTED & (1UL << CLK_SYS_PLL))) {
    }
    CLK_PERI_CTRL = CLK_PERI_ENABLE_SYS;
    WATCHDOG_TICK = TICK_OF_12_MHZ;
    SYST_RVR = SYST_MASK;
    SYST_CVR = 0;
    SYST_CSR = SYST_ENABLE_CORE_CLOCK;
}

void hal_init(void) {
    clocks_init();
    PIN_CTRL(HAL_UART_TX_PIN) = PIN_UART;
    PIN_CTRL(HAL_UART_RX_PIN) = PIN_UART;
    UART_IBRD = BAUD_115200_INTEGER;
    UART_FBRD = BAUD_115200_64THS;
    UART_LCR_H = EIGHT_BITS_FIFOS; /* behind the divisors, which it makes take effect */
    UART_CR = TX_RX_ENABLED;
    UART_IMSC = INT_RX_AND_PAUSE;
    SCR = SCR_SEVONPEND; /* an interrupt that is not enabled still wakes from WFE */
    clocks_apart = 0;
    clocks_apart = hal_ticks() - (SYST_MASK - SYST_CVR);
    ticks_init();
}

int hal_read(void) {
    while (UART_FR & RX_EMPTY) {
        __asm volatile("wfe" ::: "memory");
        UART_ICR = INT_RX_AND_PAUSE;
        nvic_clear(HAL_UART_IRQ);
    }
    return (int)(UART_DR & 0xFFUL);
}

void hal_write(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while (UART_FR & TX_FULL) {
        }
        UART_DR = (uint32_t)(unsigned char)bytes[i];
    }
}

/* SysTick counts cycles and has 24 bits; which of its turns this is, follows from the microseconds. */
__attribute__((noinline)) uint32_t hal_ticks(void) {
    const uint32_t roughly = TIMER_US * CYCLES_PER_US - clocks_apart;
    const uint32_t low = SYST_MASK - SYST_CVR;
    return low + ((roughly - low + (SYST_MASK + 1UL) / 2UL) & ~SYST_MASK);
}
