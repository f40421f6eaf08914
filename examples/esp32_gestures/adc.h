// SPDX-License-Identifier: Apache-2.0
// The ADC: all of the sketch that knows the board. Three pins of ADC1, 25 times a second as in training.
#ifndef ADC_H
#define ADC_H

#include <Arduino.h>

static const uint8_t PINS[3] = {34, 35, 32}; // x, y, z
static const uint32_t PERIOD_US = 40000;
static uint32_t next_us = 0;

static void adc_begin() {
    next_us = micros();
}

// What x, y and z measure once it is time for it; false before.
static bool adc_read(uint16_t millivolts[3]) {
    if ((int32_t)(micros() - next_us) < 0) {
        return false;
    }
    next_us += PERIOD_US;
    for (uint8_t axis = 0; axis < 3; axis++) {
        millivolts[axis] = (uint16_t)analogReadMilliVolts(PINS[axis]);
    }
    return true;
}

#endif
