/* SPDX-License-Identifier: Apache-2.0
 * The compiled engine: model_compiled.c behind engine.h. It holds the arena, whose size the exporter planned exactly.
 */
#include "engine.h"
#include "model_compiled.h"

#if MODEL_ABI != 1
#error "model_compiled.h is another version's: run ./tinyproof export again"
#endif

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

const char engine_name[] = "compiled";

/* All of it is known at export, so it lives in flash and setting up costs nothing. */
static const struct engine description = {
    .input = {arena + MODEL_INPUT_OFFSET, MODEL_INPUT_BYTES, MODEL_INPUT_SCALE, MODEL_INPUT_ZERO_POINT},
    .output = {arena + MODEL_OUTPUT_OFFSET, MODEL_OUTPUT_BYTES, MODEL_OUTPUT_SCALE, MODEL_OUTPUT_ZERO_POINT},
};

const struct engine *engine_init(void) {
    return &description;
}

enum engine_status engine_run(void) {
    model_run(arena);
    return ENGINE_OK;
}
