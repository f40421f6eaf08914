// SPDX-License-Identifier: Apache-2.0
// Arduino Nano 33 BLE Sense: gestures by its accelerometer, live on the serial monitor at 115200 baud.
//
// The model and this sketch's library, from a clone of tinyproof:
//     ./tinyproof example
//     ./tinyproof export --model build/example/gestures.keras --calibration build/example/gestures-calibration.npz
//     ./tinyproof export --model gestures --as arduino --to ~/Arduino/libraries/gestures --labels rest,shake,circle,lift
// The accelerometer's library is Arduino_LSM9DS1 (Rev1 of the board) or Arduino_BMI270_BMM150 (Rev2), see imu.h.
#include <Arduino.h>
#include <gestures.h>
#include <gestures_window.h>

#include "imu.h"

static const uint16_t HOP = 8; // samples from one answer to the next: three a second at 25 Hz

static GESTURES_ARENA(arena);
static struct gestures_window window; // the last 32 samples, 1.28 s
static const char *const labels[] = GESTURES_LABELS;
static uint16_t fresh = 0; // samples since the last answer

static void stop(const __FlashStringHelper *why) {
    Serial.println(why);
    for (;;) {
    }
}

void setup() {
    Serial.begin(115200);
    while (!Serial) {
    }
    if (gestures_init(arena, sizeof arena) != GESTURES_OK) {
        stop(F("the arena is too small"));
    }
    if (gestures_selftest(arena) >= 0) {
        stop(F("this board does not compute the model's bits"));
    }
    if (!imu_begin()) {
        stop(F("no accelerometer"));
    }
    Serial.println(F("ready"));
}

void loop() {
    float g[3];
    if (!imu_read(g)) {
        return;
    }
    gestures_window_push(&window, g);
    if (++fresh < HOP || !gestures_window_full(&window)) {
        return;
    }
    fresh = 0;
    gestures_window_copy(&window, arena);
    gestures_run(arena);
    const int8_t *const scores = gestures_output(arena);
    uint8_t best = 0;
    for (uint8_t i = 1; i < GESTURES_CLASSES; i++) {
        best = scores[i] > scores[best] ? i : best;
    }
    Serial.print(labels[best]);
    Serial.print(' ');
    Serial.println(gestures_dequantize_output(scores[best]), 3);
}
