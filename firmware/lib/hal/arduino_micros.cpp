// SPDX-License-Identifier: Apache-2.0
// Arduino cores whose micros() counts single microseconds and whose scheduler needs no help: mbed on the nRF52840.
#include <Arduino.h>

#include "arduino.h"
#include "hal.h"

void arduino_init(void) {
}

uint32_t hal_ticks(void) {
    return static_cast<uint32_t>(micros());
}

// The stack is a task's, whose bounds are the scheduler's.
void hal_stack_paint(void) {
}

uint32_t hal_stack_used(void) {
    return 0;
}
