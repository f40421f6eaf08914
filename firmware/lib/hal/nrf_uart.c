/* SPDX-License-Identifier: Apache-2.0
 * UART and TIMER of Nordic's nRF51 and nRF52 (nRF51 Series Reference Manual 3.0, chapters 18 and 29; the nRF52840 keeps
 * both register maps). Addresses, pins and the tick's worth come from the board's TOML.
 */
#include "hal.h"
#include "nvic.h"
#include "ticks.h"

#define UART(offset) (*(volatile uint32_t *)(HAL_UART_BASE + (offset)))
#define UART_STARTRX UART(0x000UL)
#define UART_STARTTX UART(0x008UL)
#define UART_RXDRDY UART(0x108UL)
#define UART_TXDRDY UART(0x11CUL)
#define UART_INTENSET UART(0x304UL)
#define UART_ENABLE UART(0x500UL)
#define UART_PSELTXD UART(0x50CUL)
#define UART_PSELRXD UART(0x514UL)
#define UART_RXD UART(0x518UL)
#define UART_TXD UART(0x51CUL)
#define UART_BAUDRATE UART(0x524UL)
#define INT_RXDRDY (1UL << 2)
#define ENABLED 4UL
#define BAUD_115200 0x01D7E000UL

#define TIMER(offset) (*(volatile uint32_t *)(HAL_TIMER_BASE + (offset)))
#define TIMER_START TIMER(0x000UL)
#define TIMER_CLEAR TIMER(0x00CUL)
#define TIMER_CAPTURE0 TIMER(0x040UL)
#define TIMER_MODE TIMER(0x504UL)
#define TIMER_BITMODE TIMER(0x508UL)
#define TIMER_PRESCALER TIMER(0x510UL)
#define TIMER_CC0 TIMER(0x540UL)
#define MODE_TIMER 0UL
#define BITMODE_32 3UL
#define PRESCALER_16_MHZ 0UL

void hal_init(void) {
    UART_PSELTXD = HAL_UART_TX_PIN;
    UART_PSELRXD = HAL_UART_RX_PIN;
    UART_BAUDRATE = BAUD_115200;
    UART_ENABLE = ENABLED;
    UART_INTENSET = INT_RXDRDY;
    nvic_enable(HAL_UART_IRQ);
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    TIMER_MODE = MODE_TIMER;
    TIMER_BITMODE = BITMODE_32;
    TIMER_PRESCALER = PRESCALER_16_MHZ;
    TIMER_CLEAR = 1;
    TIMER_START = 1;
    ticks_init();
}

int hal_read(void) {
    while (!UART_RXDRDY) {
        nvic_sleep();
        nvic_clear(HAL_UART_IRQ);
    }
    UART_RXDRDY = 0; /* before RXD is read: the next byte of the FIFO then raises it anew */
    return (int)(UART_RXD & 0xFFUL);
}

void hal_write(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        UART_TXDRDY = 0;
        UART_TXD = (uint32_t)(unsigned char)bytes[i];
        while (!UART_TXDRDY) {
        }
    }
}

__attribute__((noinline)) uint32_t hal_ticks(void) {
    TIMER_CAPTURE0 = 1;
    return TIMER_CC0;
}
