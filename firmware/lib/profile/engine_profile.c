/* SPDX-License-Identifier: Apache-2.0
 * The compiled engine for `tinyproof profile`, never part of a normal build: it times every operator.
 * Its output tensor is the record below, so that the protocol needs no verb of its own: `load`, `run`, `read`.
 * The one engine that reads the board's clock; hence a folder of its own.
 */
#include <string.h>

#include "engine.h"
#include "hal.h"
#include "model_compiled.h"
#include "model_profile.h"

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

/* Little-endian, as all boards are. The last entry times a step that does nothing: what the timing itself costs. */
static struct {
    uint32_t elapsed[MODEL_STEPS + 1];
    int8_t output[MODEL_OUTPUT_BYTES];
} record;

const char engine_name[] = "profile";

static const struct engine description = {
    .input = {arena + MODEL_INPUT_OFFSET, MODEL_INPUT_BYTES, MODEL_INPUT_SCALE, MODEL_INPUT_ZERO_POINT},
    .output = {(int8_t *)&record, sizeof record.elapsed + sizeof record.output, 1.0F, 0},
};

const struct engine *engine_init(void) {
    return &description;
}

enum engine_status engine_run(void) {
    for (uint32_t step = 0; step <= MODEL_STEPS; step++) {
        const uint32_t start = hal_ticks();
        model_steps[step](arena);
        record.elapsed[step] = hal_elapsed(start);
    }
    memcpy(record.output, arena + MODEL_OUTPUT_OFFSET, sizeof record.output);
    return ENGINE_OK;
}
