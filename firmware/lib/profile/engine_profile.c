/* SPDX-License-Identifier: Apache-2.0
 * The compiled engine for `tinyproof profile` and for what a check asks of every layer, never part of a normal build: it
 * times every operator, and takes the checksum of what it writes, so that the host can tell which one is the first to
 * leave the reference. Asked for probes instead, it runs each operator alone on contents that it makes itself.
 * Its output tensor is the record below, and its last input says what is wanted, so that the protocol needs no verb of
 * its own: `load`, `run`, `read`. The one engine that reads the board's clock; hence a folder of its own.
 */
#include <string.h>

#include "crc32.h"
#include "engine.h"
#include "hal.h"
#include "model_compiled.h"
#include "model_profile.h"
#include "probe.h"

static probe_word memory[PROBE_WORDS(MODEL_ARENA_BYTES)] __attribute__((aligned(16))); /* the arena between guards */
#define ARENA ((int8_t *)memory + PROBE_GUARD)

/* Probes `first` up to `end` of `seed`; none where the two are the same: then it is an inference. */
static struct {
    uint32_t seed, first, end;
} request;

/* Little-endian, as all boards are. `of_step`: ticks, of which the last entry times a step that does nothing, what the
 * timing itself costs; or the digests of probes. */
static struct {
    uint32_t of_step[MODEL_STEPS + 1];
    uint32_t crc[MODEL_STEP_OUTPUTS];
    int8_t outputs[MODEL_OUTPUTS_BYTES];
} record;

const char engine_name[] = "profile";

#define TENSOR(offset, bytes, scale, zero_point, type) {ARENA + (offset), bytes, scale, zero_point, ENGINE_##type},
static const struct engine_tensor inputs[] = {
    MODEL_FOR_EACH_INPUT(TENSOR){(int8_t *)&request, sizeof request, 1.0F, 0, ENGINE_INT8},
};
static const struct engine_tensor outputs[] = {MODEL_FOR_EACH_OUTPUT(TENSOR)};
#undef TENSOR

static const struct engine_tensor whole_record = {
    (int8_t *)&record, sizeof record.of_step + sizeof record.crc + sizeof record.outputs, 1.0F, 0, ENGINE_INT8,
};

static const struct engine description = {
    .inputs = {inputs, MODEL_INPUTS_BYTES + sizeof request, MODEL_INPUTS + 1},
    .outputs = {&whole_record, sizeof record.of_step + sizeof record.crc + sizeof record.outputs, 1},
    .state_bytes = MODEL_STATE_BYTES,
};

const struct engine *engine_init(void) {
    engine_reset();
    return &description;
}

void engine_reset(void) {
#if MODEL_STATE_BYTES > 0
    model_reset(ARENA);
#endif
}

static void infer(void) {
    uint32_t written = 0;
    for (uint32_t step = 0; step <= MODEL_STEPS; step++) {
        const uint32_t start = hal_ticks();
        model_steps[step](ARENA);
        record.of_step[step] = hal_elapsed(start);
        /* At once: a later step may overwrite it. */
        for (; written < MODEL_STEP_OUTPUTS && model_step_outputs[written].step == step; written++) {
            const struct model_step_output *const output = &model_step_outputs[written];
            record.crc[written] = ~crc32_over(CRC32_INITIAL, ARENA + output->offset, output->bytes);
        }
    }
}

enum engine_status engine_run(void) {
    if (request.first != request.end) {
        for (uint32_t step = 0; step < MODEL_STEPS; step++) {
            record.of_step[step] =
                probe_step(memory, MODEL_ARENA_BYTES, model_steps[step], &model_probes[step], model_probe_inputs,
                           model_probe_given, request.seed, step, request.first, request.end);
        }
        engine_reset(); /* a state was filled with what the probes made */
        return ENGINE_OK;
    }
    infer();
    int8_t *whole = record.outputs;
    for (uint32_t i = 0; i < MODEL_OUTPUTS; i++) {
        memcpy(whole, outputs[i].data, (size_t)outputs[i].bytes);
        whole += outputs[i].bytes;
    }
    return ENGINE_OK;
}
