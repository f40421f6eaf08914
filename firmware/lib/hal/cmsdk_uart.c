/* SPDX-License-Identifier: Apache-2.0
 * Arm CMSDK UART, as on the MPS2 and MPS3 boards (Cortex-M System Design Kit TRM, DDI 0479, chapter 4.3). Which timer
 * goes with it is another file; addresses come from the board's TOML.
 */
#include "hal.h"
#include "nvic.h"
#include "ticks.h"
#include "timer.h"

#define REGISTER(offset) (*(volatile uint32_t *)(HAL_UART_BASE + (offset)))

#define UART_DATA REGISTER(0x00UL)
#define UART_STATE REGISTER(0x04UL)
#define UART_CTRL REGISTER(0x08UL)
#define UART_INTCLEAR REGISTER(0x0CUL)
#define UART_BAUDDIV REGISTER(0x10UL)
#define STATE_TX_FULL 0x1UL
#define STATE_RX_FULL 0x2UL
#define CTRL_TX_RX_RXIRQ 0xBUL
#define INT_RX 0x2UL
#define BAUDDIV_MINIMUM 16UL /* the emulated wire has no rate; the model only refuses less than 16 */

void hal_init(void) {
    UART_BAUDDIV = BAUDDIV_MINIMUM;
    UART_CTRL = CTRL_TX_RX_RXIRQ;
    (void)UART_DATA; /* what came before is old; and an emulator hands on what waits when it is asked */
    nvic_enable(HAL_UART_IRQ);
    timer_init();
    ticks_init();
}

#define LOOKS_BEFORE_SLEEP 300

int hal_read(void) {
    /* The rest of a line comes at once: looking again is cheaper than an emulator's sleep between two bytes. */
    for (int looks = 0; looks < LOOKS_BEFORE_SLEEP && !(UART_STATE & STATE_RX_FULL); looks++) {
    }
    while (!(UART_STATE & STATE_RX_FULL)) {
        nvic_sleep();
        UART_INTCLEAR = INT_RX;
        nvic_clear(HAL_UART_IRQ);
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
