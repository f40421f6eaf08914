// SPDX-License-Identifier: Apache-2.0
#include <Arduino.h>

#include "hal.h"

extern "C" void measure(void);

extern "C" void settle(void) {
    Serial.flush();
}

void setup() {
    hal_init();
    measure();
}

void loop() {
    (void)hal_read();
}
