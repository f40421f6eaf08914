// SPDX-License-Identifier: Apache-2.0
// The HAL of every Arduino board: `Serial`, whatever is behind it (a UART, a bridge, the chip's own USB).
#include "arduino.h"

#include <Arduino.h>

#include "hal.h"
#include "ticks.h"

namespace {

// A reply is written in many small pieces, and each call would become a USB packet of its own: gather a line, or a
// full-speed packet.
uint8_t line[64];
size_t line_bytes;

} // namespace

void hal_init(void) {
    // Neither waits for a terminal, nor does anything after it: a board that nobody listens to must still start.
    Serial.begin(ARDUINO_BASE_BAUD);
    arduino_init();
    ticks_init();
}

int hal_read(void) {
    int byte = Serial.read();
    while (byte < 0) {
        arduino_mind_speed();
        yield();
        byte = Serial.read();
    }
    return byte;
}

void hal_write(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        line[line_bytes++] = static_cast<uint8_t>(bytes[i]);
        if (bytes[i] == '\n' || line_bytes == sizeof line) {
            // What a terminal that has just closed does not take is lost; the host then repeats its request.
            (void)Serial.write(line, line_bytes);
            line_bytes = 0;
        }
    }
}
