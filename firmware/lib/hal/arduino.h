/* SPDX-License-Identifier: Apache-2.0
 * What Arduino cores differ in, implemented by one arduino_*.c or .cpp for each kind, besides hal_ticks.
 */
#ifndef TINYPROOF_ARDUINO_H
#define TINYPROOF_ARDUINO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Starts what hal_ticks reads, and whatever else the core needs; called once, when Serial works. */
void arduino_init(void);

#define ARDUINO_BASE_BAUD 115200

/* Called while no byte waits: makes a change of speed that is due. */
void arduino_mind_speed(void);

/* Of cores whose Serial is a UART, for arduino_speeds.cpp: of hal_ticks; whether the UART makes a speed so nearly that it
 * counts as it; and setting it. */
extern const uint32_t arduino_ticks_per_s;
bool arduino_makes_baud(uint32_t baud);
void arduino_set_baud(uint32_t baud);

#ifdef __cplusplus
}
#endif
#endif
