// SPDX-License-Identifier: Apache-2.0
// Arduino boards whose Serial is a UART with speeds to choose from.
#include <Arduino.h>

#include "arduino.h"
#include "hal.h"
#include "speed.h"

#define DIGITS(number) #number
#define DIGITS_OF(number) DIGITS(number)

const char hal_base_baud[] = DIGITS_OF(ARDUINO_BASE_BAUD);

namespace {

uint32_t due;   // the speed to be set when all has been written; 0: none
uint32_t since; // hal_ticks when the present speed was last kept
bool away;      // from the base

} // namespace

bool hal_set_baud(uint32_t baud) {
    if (baud != ARDUINO_BASE_BAUD && !arduino_makes_baud(baud)) {
        return false;
    }
    due = baud;
    return true;
}

void hal_keep_baud(void) {
    since = hal_ticks();
}

void arduino_mind_speed(void) {
    if (away && due == 0 && hal_ticks() - since > SPEED_HOLD_S * arduino_ticks_per_s) {
        due = ARDUINO_BASE_BAUD;
    }
    if (due != 0) {
        Serial.flush();
        arduino_set_baud(due);
        away = due != ARDUINO_BASE_BAUD;
        due = 0;
    }
}
