/* SPDX-License-Identifier: Apache-2.0 */
#include "ticks.h"

#include "hal.h"

const char hal_board[] = HAL_BOARD;
const char hal_tick_unit[] = HAL_TICK_UNIT;

static uint32_t hal_overhead; /* what hal_elapsed reads over an empty region, in hal_tick_unit */

void ticks_init(void) {
    hal_overhead = 0;
    hal_overhead = hal_elapsed(hal_ticks());
}

/* Never inlined, so that the overhead measured in ticks_init is the one that every caller pays. */
__attribute__((noinline)) uint32_t hal_elapsed(uint32_t start) {
    const uint32_t ticks = hal_ticks() - start;
    const uint64_t units = ((uint64_t)ticks * HAL_TICK_MULTIPLIER + HAL_TICK_DIVISOR / 2U) / HAL_TICK_DIVISOR;
    /* A coarse clock (micros) can read less over a short inference than it did over the empty region. */
    return units > hal_overhead ? (uint32_t)units - hal_overhead : 0;
}
