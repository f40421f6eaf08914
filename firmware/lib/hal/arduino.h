/* SPDX-License-Identifier: Apache-2.0
 * What Arduino cores differ in, implemented by one arduino_*.c or .cpp for each kind, besides hal_ticks.
 */
#ifndef TINYPROOF_ARDUINO_H
#define TINYPROOF_ARDUINO_H

#ifdef __cplusplus
extern "C" {
#endif

/* Starts what hal_ticks reads, and whatever else the core needs; called once, when Serial works. */
void arduino_init(void);

#ifdef __cplusplus
}
#endif
#endif
