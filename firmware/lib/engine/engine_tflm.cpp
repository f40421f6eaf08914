/* SPDX-License-Identifier: Apache-2.0
 * Google's interpreter behind engine.h: it runs model_data.c, with the operators and the arena that the exporter
 * derived from the model (model_tflm.h). C++14, for the compilers that come with the boards' Arduino cores.
 *
 * Not a word of the library's target set-up is used: some ports of it open the serial line anew, at another speed.
 */
#include "engine.h"

#include <new>

#include "model_data.h"
#include "model_tflm.h"
#include "tflm_library.h"

#if MODEL_TFLM_ABI != 2
#error "model_tflm.h is another version's: run ./tinyproof export again"
#endif

/* The interpreter logs through this hook. There is no room for stdio, and the serial line is the protocol's. Ports
 * of the library that are years old declare it with the format alone, later ones with a va_list behind it; the
 * callee looks at neither, so that one definition serves both (an argument too many is harmless in the calling
 * conventions of Arm, RISC-V and Xtensa). debug_log.h is not included, since it would insist on one of the two. */
extern "C" void DebugLog(const char *format);
extern "C" void DebugLog(const char *format) {
    (void)format;
}

namespace {

alignas(16) uint8_t arena[MODEL_TFLM_ARENA_BYTES];

/* Made in place by engine_init and never destroyed: no start-up code runs before main, and none at exit. */
alignas(tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS>) uint8_t
    resolver_place[sizeof(tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS>)];
alignas(tflite::MicroInterpreter) uint8_t interpreter_place[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;
struct engine_tensor inputs[MODEL_TFLM_INPUTS];
struct engine_tensor outputs[MODEL_TFLM_OUTPUTS];
struct engine description;

/* -1 for a type that the protocol does not speak of. */
int type_of(TfLiteType type) {
    switch (type) {
    case kTfLiteInt8:
        return ENGINE_INT8;
    case kTfLiteUInt8:
        return ENGINE_UINT8;
    case kTfLiteInt16:
        return ENGINE_INT16;
    case kTfLiteInt32:
        return ENGINE_INT32;
    case kTfLiteInt64:
        return ENGINE_INT64;
    case kTfLiteBool:
        return ENGINE_BOOL;
    default:
        return -1;
    }
}

bool take_tensor(struct engine_tensors *all, struct engine_tensor *ours, const TfLiteTensor *theirs) {
    if (theirs == nullptr || type_of(theirs->type) < 0 || theirs->data.int8 == nullptr) {
        return false;
    }
    ours->data = theirs->data.int8;
    ours->bytes = static_cast<uint32_t>(theirs->bytes);
    ours->scale = theirs->params.scale == 0.0F ? 1.0F : theirs->params.scale;
    ours->zero_point = static_cast<int16_t>(theirs->params.zero_point);
    ours->type = static_cast<uint8_t>(type_of(theirs->type));
    all->bytes += ours->bytes;
    return true;
}

} // namespace

extern const char engine_name[] = "tflm";

const struct engine *engine_init(void) {
    const tflite::Model *const model = tflite::GetModel(model_data);
    if (model->version() != MODEL_TFLM_SCHEMA) {
        return nullptr;
    }
    auto *const resolver = new (resolver_place) tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS>();
#define ADD_OPERATOR(name)                                                                                             \
    if (resolver->Add##name() != kTfLiteOk) {                                                                          \
        return nullptr;                                                                                                \
    }
    MODEL_TFLM_FOR_EACH_OPERATOR(ADD_OPERATOR)
#undef ADD_OPERATOR
    interpreter = new (interpreter_place) tflite::MicroInterpreter(model, *resolver, arena, sizeof arena);
    if (interpreter->AllocateTensors() != kTfLiteOk || interpreter->inputs_size() != MODEL_TFLM_INPUTS ||
        interpreter->outputs_size() != MODEL_TFLM_OUTPUTS) {
        return nullptr;
    }
    description.arena_used_bytes = static_cast<uint32_t>(interpreter->arena_used_bytes());
    description.inputs = {inputs, 0, MODEL_TFLM_INPUTS};
    description.outputs = {outputs, 0, MODEL_TFLM_OUTPUTS};
    description.state_bytes = MODEL_TFLM_STATE_BYTES;
    bool taken = true;
    for (uint32_t i = 0; i < MODEL_TFLM_INPUTS; i++) {
        taken = take_tensor(&description.inputs, &inputs[i], interpreter->input(i)) && taken;
    }
    for (uint32_t i = 0; i < MODEL_TFLM_OUTPUTS; i++) {
        taken = take_tensor(&description.outputs, &outputs[i], interpreter->output(i)) && taken;
    }
    return taken ? &description : nullptr;
}

/* The interpreter's own Reset runs no CALL_ONCE again: only a new one begins where the first one began. */
void engine_reset(void) {
    const struct engine *const again = engine_init(); /* it succeeded before, from the same bytes */
    (void)again;
}

enum engine_status engine_run(void) {
    return interpreter->Invoke() == kTfLiteOk ? ENGINE_OK : ENGINE_ERROR_INVOKE;
}
