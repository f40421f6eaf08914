// SPDX-License-Identifier: Apache-2.0
// ESP32 with an analog accelerometer (ADXL335) on three pins of its ADC: gestures, live at 115200 baud.
//
// The model and this sketch's library, from a clone of tinyproof:
//     ./tinyproof example
//     ./tinyproof export --model build/example/gestures.keras --calibration build/example/gestures-calibration.npz
//     ./tinyproof export --model gestures --as arduino --to ~/Arduino/libraries/gestures --labels rest,shake,circle,lift
#include <Arduino.h>
#include <gestures.h>
#include <gestures_window.h>

#include "adc.h"

static const uint16_t HOP = 8; // samples from one answer to the next: three a second at 25 Hz
// Of the ADXL335 at 3.3 V, by its data sheet: half the supply at 0 g, a tenth of it for each g.
static const float ZERO_G_MV = 1650.0F;
static const float MV_PER_G = 330.0F;

static GESTURES_ARENA(arena);
static struct gestures_window window; // the last 32 samples, 1.28 s
static const char *const labels[] = GESTURES_LABELS;
static uint16_t fresh = 0; // samples since the last answer

static void stop(const __FlashStringHelper *why) {
    Serial.println(why);
    for (;;) {
        delay(1000);
    }
}

void setup() {
    Serial.begin(115200);
    if (gestures_init(arena, sizeof arena) != GESTURES_OK) {
        stop(F("the arena is too small"));
    }
    if (gestures_selftest(arena) >= 0) {
        stop(F("this board does not compute the model's bits"));
    }
    adc_begin();
    Serial.println(F("ready"));
}

void loop() {
    uint16_t millivolts[3];
    if (!adc_read(millivolts)) {
        return;
    }
    float g[3];
    for (uint8_t axis = 0; axis < 3; axis++) {
        g[axis] = ((float)millivolts[axis] - ZERO_G_MV) / MV_PER_G;
    }
    gestures_window_push(&window, g);
    if (++fresh < HOP || !gestures_window_full(&window)) {
        return;
    }
    fresh = 0;
    gestures_window_copy(&window, arena);
    for (uint16_t step = 0; step < GESTURES_STEPS; step++) { // between two operators other tasks get their turn
        gestures_step(arena, step);
        yield();
    }
    const int8_t *const scores = gestures_output(arena);
    uint8_t best = 0;
    for (uint8_t i = 1; i < GESTURES_CLASSES; i++) {
        best = scores[i] > scores[best] ? i : best;
    }
    Serial.print(labels[best]);
    Serial.print(' ');
    Serial.println(gestures_dequantize_output(scores[best]), 3);
}
