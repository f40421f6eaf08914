// SPDX-License-Identifier: Apache-2.0
// The accelerometer: all of the sketch that knows the board. Acceleration in g, 25 times a second as in training.
#ifndef IMU_H
#define IMU_H

#include <Arduino_LSM9DS1.h> // Rev2 of the board: Arduino_BMI270_BMM150.h

static const uint32_t PERIOD_US = 40000;
static uint32_t next_us = 0;

// Whether there is an accelerometer.
static bool imu_begin() {
    next_us = micros();
    return IMU.begin();
}

// The acceleration along x, y and z once it is time for it; false before. The chip measures faster: what comes in between
// is left out.
static bool imu_read(float g[3]) {
    if ((int32_t)(micros() - next_us) < 0 || !IMU.accelerationAvailable()) {
        return false;
    }
    next_us += PERIOD_US;
    return IMU.readAcceleration(g[0], g[1], g[2]) != 0;
}

#endif
