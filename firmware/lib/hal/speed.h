/* SPDX-License-Identifier: Apache-2.0
 * What a board offers whose line may change its speed. It always starts at the base, and comes back to it by itself: no
 * host that has gone, no cable that bears less, leaves a board at a speed that nobody speaks.
 */
#ifndef TINYPROOF_SPEED_H
#define TINYPROOF_SPEED_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For so long another speed is kept. The host knows this, too (host/transport/speed.py). */
#define SPEED_HOLD_S 2U

/* Bits per second at the start, in digits; "": the line has no speed (USB by the chip itself), or no other. */
extern const char hal_base_baud[];

/* The line's speed as soon as all that has been written is on the wire. False: the UART cannot make it. */
bool hal_set_baud(uint32_t baud);

/* Called after each request that came whole. Without that, for SPEED_HOLD_S, the line is back at its base. */
void hal_keep_baud(void);

#ifdef __cplusplus
}
#endif
#endif
