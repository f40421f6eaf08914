/* SPDX-License-Identifier: Apache-2.0
 * Arm CMSDK APB timer (Cortex-M System Design Kit TRM, DDI 0479, chapter 4.2): 32 bits, counts down.
 */
#include "hal.h"
#include "timer.h"

#define REGISTER(offset) (*(volatile uint32_t *)(HAL_TIMER_BASE + (offset)))

#define TIMER_CTRL REGISTER(0x00UL)
#define TIMER_VALUE REGISTER(0x04UL)
#define TIMER_RELOAD REGISTER(0x08UL)
#define TIMER_ENABLE 0x1UL

void timer_init(void) {
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    TIMER_CTRL = TIMER_ENABLE;
}

__attribute__((noinline)) uint32_t hal_ticks(void) {
    return UINT32_MAX - TIMER_VALUE;
}
