/* SPDX-License-Identifier: Apache-2.0
 * The compiled engine for `tinyproof profile`, never part of a normal build: it times every operator, and takes the
 * checksum of what it writes, so that the host can tell which one is the first to leave the reference.
 * Its output tensor is the record below, so that the protocol needs no verb of its own: `load`, `run`, `read`.
 * The one engine that reads the board's clock; hence a folder of its own.
 */
#include <string.h>

#include "crc32.h"
#include "engine.h"
#include "hal.h"
#include "model_compiled.h"
#include "model_profile.h"

static int8_t arena[MODEL_ARENA_BYTES] __attribute__((aligned(16)));

/* Little-endian, as all boards are. The last entry times a step that does nothing: what the timing itself costs. */
static struct {
    uint32_t elapsed[MODEL_STEPS + 1];
    uint32_t crc[MODEL_STEP_OUTPUTS];
    int8_t outputs[MODEL_OUTPUTS_BYTES];
} record;

const char engine_name[] = "profile";

#define TENSOR(offset, bytes, scale, zero_point, type) {arena + (offset), bytes, scale, zero_point, ENGINE_##type},
static const struct engine_tensor inputs[] = {MODEL_FOR_EACH_INPUT(TENSOR)};
static const struct engine_tensor outputs[] = {MODEL_FOR_EACH_OUTPUT(TENSOR)};
#undef TENSOR

static const struct engine_tensor whole_record = {
    (int8_t *)&record, sizeof record.elapsed + sizeof record.crc + sizeof record.outputs, 1.0F, 0, ENGINE_INT8,
};

static const struct engine description = {
    .inputs = {inputs, MODEL_INPUTS_BYTES, MODEL_INPUTS},
    .outputs = {&whole_record, sizeof record.elapsed + sizeof record.crc + sizeof record.outputs, 1},
    .state_bytes = MODEL_STATE_BYTES,
};

const struct engine *engine_init(void) {
    engine_reset();
    return &description;
}

void engine_reset(void) {
#if MODEL_STATE_BYTES > 0
    model_reset(arena);
#endif
}

enum engine_status engine_run(void) {
    uint32_t written = 0;
    for (uint32_t step = 0; step <= MODEL_STEPS; step++) {
        const uint32_t start = hal_ticks();
        model_steps[step](arena);
        record.elapsed[step] = hal_elapsed(start);
        /* At once: a later step may overwrite it. */
        for (; written < MODEL_STEP_OUTPUTS && model_step_outputs[written].step == step; written++) {
            const struct model_step_output *const output = &model_step_outputs[written];
            record.crc[written] = ~crc32_over(CRC32_INITIAL, arena + output->offset, output->bytes);
        }
    }
    int8_t *whole = record.outputs;
    for (uint32_t i = 0; i < MODEL_OUTPUTS; i++) {
        memcpy(whole, outputs[i].data, (size_t)outputs[i].bytes);
        whole += outputs[i].bytes;
    }
    return ENGINE_OK;
}
