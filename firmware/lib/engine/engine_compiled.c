/* SPDX-License-Identifier: Apache-2.0
 * The compiled engine: model_compiled.c behind engine.h. It holds the arena, whose size the exporter planned exactly.
 */
#include "engine.h"
#include "model_compiled.h"

#if MODEL_ABI != 6
#error "model_compiled.h is another version's: run ./tinyproof export again"
#endif

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

const char engine_name[] = "compiled";

/* All of it is known at export, so it lives in flash and setting up costs nothing. */
#define TENSOR(offset, bytes, scale, zero_point, type) {arena + (offset), bytes, scale, zero_point, ENGINE_##type},
static const struct engine_tensor inputs[] = {MODEL_FOR_EACH_INPUT(TENSOR)};
static const struct engine_tensor outputs[] = {MODEL_FOR_EACH_OUTPUT(TENSOR)};
#undef TENSOR

static const struct engine description = {
    .inputs = {inputs, MODEL_INPUTS_BYTES, MODEL_INPUTS},
    .outputs = {outputs, MODEL_OUTPUTS_BYTES, MODEL_OUTPUTS},
    .state_bytes = MODEL_STATE_BYTES,
};

const struct engine *engine_init(void) {
    engine_reset();
    return &description;
}

enum engine_status engine_run(void) {
    model_run(arena);
    return ENGINE_OK;
}

void engine_reset(void) {
#if MODEL_STATE_BYTES > 0
    model_reset(arena);
#endif
}
