// SPDX-License-Identifier: Apache-2.0
// The sketch of every Arduino board, real or simulated: bytes in, bytes out, over the same C as everywhere.
#include <Arduino.h>

#include "engine.h"
#include "hal.h"
#include "model_compiled.h"
#include "protocol.h"
#include "speed.h"

static const struct protocol_port port = {
    hal_board,   hal_tick_unit,  MODEL_ID,      hal_write,    hal_ticks,
    hal_elapsed, hal_stack_used, hal_base_baud, hal_set_baud, hal_keep_baud,
};
static struct protocol protocol;

void setup() {
    hal_stack_paint();
    hal_init();
    const uint32_t start = hal_ticks();
    const struct engine *const engine = engine_init();
    const uint32_t init_elapsed = hal_elapsed(start);
    protocol_init(&protocol, &port, engine, init_elapsed);
}

void loop() {
    protocol_feed(&protocol, static_cast<uint8_t>(hal_read()));
}
