// SPDX-License-Identifier: Apache-2.0
// ESP32: as arduino_micros.cpp, and a pause for the idle task.
//
// The task watchdog resets the chip unless the idle task of each core it watches runs every few seconds (five by
// default). The sketch's task stands above the idle task and never blocks: neither while it infers, which may take as
// long as it likes, nor while it waits for a byte, since yield() only gives way to tasks of the same or a higher
// priority. So a task of a higher priority still stops the sketch for two ticks in every second. That costs two
// thousandths of the time, and unlike calls strewn over the engine it holds for every engine and every model.
#include <Arduino.h>

#include "arduino.h"
#include "hal.h"

namespace {

constexpr uint32_t pause_every_ms = 1000;
constexpr TickType_t pause_ticks = 2; // one may end at once, when the next tick is already due
constexpr uint32_t stack_bytes = 2048;
constexpr UBaseType_t priority = 2; // the sketch has 1

void let_idle_run(void *sketch) {
    for (;;) {
        vTaskDelay(pdMS_TO_TICKS(pause_every_ms));
        vTaskSuspend(static_cast<TaskHandle_t>(sketch));
        vTaskDelay(pause_ticks);
        vTaskResume(static_cast<TaskHandle_t>(sketch));
    }
}

} // namespace

void arduino_init(void) {
    // On the sketch's own core: from the other one, suspending would have to wait for an interrupt between cores.
    (void)xTaskCreatePinnedToCore(let_idle_run, "let_idle_run", stack_bytes, xTaskGetCurrentTaskHandle(), priority,
                                  nullptr, xPortGetCoreID());
}

uint32_t hal_ticks(void) {
    return static_cast<uint32_t>(micros());
}

const uint32_t arduino_ticks_per_s = 1000000;

// The UART's clock of 80 MHz is divided in sixteenths, so that any speed in this range is met within 0.2 %.
bool arduino_makes_baud(uint32_t baud) {
    return baud >= 9600 && baud <= 2000000;
}

void arduino_set_baud(uint32_t baud) {
    Serial.updateBaudRate(baud);
}

// The stack is a task's, whose bounds are the scheduler's.
void hal_stack_paint(void) {
}

uint32_t hal_stack_used(void) {
    return 0;
}
