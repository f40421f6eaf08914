/* SPDX-License-Identifier: Apache-2.0
 * The compiled engine: model_compiled.c behind engine.h. It holds the arena, whose size the exporter planned exactly.
 */
#include "engine.h"
#include "model_compiled.h"

#if MODEL_ABI != 1
#error "model_compiled.h is another version's: run ./tinyproof export again"
#endif

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

enum engine_status engine_init(struct engine *engine) {
    engine->name = "compiled";
    engine->model_id = MODEL_ID;
    engine->input.data = arena + MODEL_INPUT_OFFSET;
    engine->input.bytes = MODEL_INPUT_BYTES;
    engine->input.scale = MODEL_INPUT_SCALE;
    engine->input.zero_point = MODEL_INPUT_ZERO_POINT;
    engine->output.data = arena + MODEL_OUTPUT_OFFSET;
    engine->output.bytes = MODEL_OUTPUT_BYTES;
    engine->output.scale = MODEL_OUTPUT_SCALE;
    engine->output.zero_point = MODEL_OUTPUT_ZERO_POINT;
    return ENGINE_OK;
}

enum engine_status engine_run(struct engine *engine) {
    (void)engine;
    model_run(arena);
    return ENGINE_OK;
}
