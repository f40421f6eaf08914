/* SPDX-License-Identifier: Apache-2.0
 * Starts the timer behind hal_ticks, for UARTs that meet more than one kind of timer.
 */
#ifndef TINYPROOF_TIMER_H
#define TINYPROOF_TIMER_H

void timer_init(void);

#endif
