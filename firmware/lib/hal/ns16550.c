/* SPDX-License-Identifier: Apache-2.0
 * The PC's UART (National Semiconductor PC16550D data sheet, chapter 8), memory-mapped. HAL_UART_STRIDE is the distance
 * of its byte registers.
 */
#include "hal.h"
#include "sleep.h"
#include "ticks.h"
#include "timer.h"

#define REGISTER(number) (*(volatile uint8_t *)(HAL_UART_BASE + (number) * HAL_UART_STRIDE))

#define UART_RBR REGISTER(0UL) /* received byte */
#define UART_THR REGISTER(0UL) /* byte to send */
#define UART_IER REGISTER(1UL)
#define UART_FCR REGISTER(2UL)
#define UART_LCR REGISTER(3UL)
#define UART_LSR REGISTER(5UL)
#define IER_RECEIVED 0x01U
#define FCR_ENABLE_AND_RESET 0x07U
#define LCR_8N1 0x03U
#define LSR_RECEIVED 0x01U
#define LSR_THR_EMPTY 0x20U

void hal_init(void) {
    UART_LCR = LCR_8N1;
    UART_FCR = FCR_ENABLE_AND_RESET;
    UART_IER = IER_RECEIVED;
    (void)UART_RBR; /* what came before is old; and an emulator hands on what waits when it is asked */
    sleep_init();
    timer_init();
    ticks_init();
}

int hal_read(void) {
    while (!(UART_LSR & LSR_RECEIVED)) {
        sleep_until_uart();
    }
    return UART_RBR;
}

void hal_write(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        while (!(UART_LSR & LSR_THR_EMPTY)) {
        }
        UART_THR = (uint8_t)bytes[i];
    }
}
