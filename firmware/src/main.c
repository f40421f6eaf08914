/* SPDX-License-Identifier: Apache-2.0
 * Wires hal, engine and protocol together: bytes in, bytes out, for ever.
 */
#include "engine.h"
#include "hal.h"
#include "model_compiled.h"
#include "protocol.h"

static const struct protocol_port port = {
    .board = hal_board,
    .tick_unit = hal_tick_unit,
    .model_id = MODEL_ID,
    .write = hal_write,
    .ticks = hal_ticks,
    .elapsed = hal_elapsed,
    .stack_used = hal_stack_used,
    .base_baud = "", /* of an emulated wire */
};

int main(void) {
    static struct protocol protocol;

    hal_stack_paint();
    hal_init();
    const uint32_t start = hal_ticks();
    const struct engine *const engine = engine_init();
    const uint32_t init_elapsed = hal_elapsed(start);

    protocol_init(&protocol, &port, engine, init_elapsed);
    for (;;) {
        protocol_feed(&protocol, (uint8_t)hal_read());
    }
}
