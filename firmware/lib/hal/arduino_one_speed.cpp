// SPDX-License-Identifier: Apache-2.0
// Arduino boards whose Serial is USB by the chip itself, which has no speed, or a UART that keeps the one it has.
#include "arduino.h"
#include "speed.h"

const char hal_base_baud[] = "";

bool hal_set_baud(uint32_t /*baud*/) {
    return false;
}

void hal_keep_baud(void) {
}

void arduino_mind_speed(void) {
}
