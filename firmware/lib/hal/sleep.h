/* SPDX-License-Identifier: Apache-2.0
 * How a core waits for its UART, for UARTs that meet more than one kind of core.
 */
#ifndef TINYPROOF_SLEEP_H
#define TINYPROOF_SLEEP_H

void sleep_init(void);

/* Returns when the UART's interrupt line has risen since the last call, without taking the interrupt. */
void sleep_until_uart(void);

#endif
