/* SPDX-License-Identifier: Apache-2.0
 * System counter of Arm's SSE-300 (Corstone SSE-300 TRM, 101773, "System counter"), as on the MPS3 AN547: 64 bits,
 * counts up; the lower word is enough.
 */
#include "hal.h"
#include "timer.h"

#define REGISTER(offset) (*(volatile uint32_t *)(HAL_TIMER_BASE + (offset)))

#define COUNTER_CTRL REGISTER(0x00UL)
#define COUNTER_VALUE_LOW REGISTER(0x08UL)
#define COUNTER_ENABLE 0x1UL

void timer_init(void) {
    COUNTER_CTRL = COUNTER_ENABLE;
}

__attribute__((noinline)) uint32_t hal_ticks(void) {
    return COUNTER_VALUE_LOW;
}
