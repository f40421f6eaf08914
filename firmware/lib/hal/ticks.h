/* SPDX-License-Identifier: Apache-2.0
 * What the bare-metal HALs share: the board's identity, and a timer's ticks as the unit that the board reports in.
 * The board's TOML gives the tick's worth: HAL_TICK_MULTIPLIER / HAL_TICK_DIVISOR of a unit.
 */
#ifndef TINYPROOF_TICKS_H
#define TINYPROOF_TICKS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Measures what hal_elapsed reads over an empty region; call once, when hal_ticks works. */
void ticks_init(void);

#ifdef __cplusplus
}
#endif
#endif
