/* SPDX-License-Identifier: Apache-2.0
 * One interface for every engine; exactly one of engine_*.c is linked (chosen by file in platformio.ini).
 * Real value of a tensor element: scale * (q - zero_point), TFLite quantization spec.
 */
#ifndef TINYPROOF_ENGINE_H
#define TINYPROOF_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENGINE_MUST_CHECK __attribute__((warn_unused_result))

enum engine_status {
    ENGINE_OK = 0,
    ENGINE_ERROR_INVOKE = -1, /* this inference failed */
};

enum engine_type { ENGINE_INT8, ENGINE_UINT8, ENGINE_INT16, ENGINE_INT32, ENGINE_INT64, ENGINE_BOOL };

struct engine_tensor {
    int8_t *data; /* aligned as its type wants it */
    uint32_t bytes;
    float scale; /* 1, with a zero point of 0, where the model gives the tensor no real values */
    int16_t zero_point;
    uint8_t type; /* enum engine_type */
};

/* The model's inputs or outputs, in its order. */
struct engine_tensors {
    const struct engine_tensor *list;
    uint32_t bytes; /* of all of them together */
    uint8_t count;
};

/* "compiled", "tflm" */
extern const char engine_name[];

struct engine {
    struct engine_tensors inputs;
    struct engine_tensors outputs;
    uint32_t state_bytes;      /* what lives on from one inference to the next; 0: every inference is the first */
    uint32_t arena_used_bytes; /* what AllocateTensors took of tflm's arena; 0: the engine plans its memory itself */
};

/* Sets up the engine and says where its tensors are; call once, before anything else. NULL: it could not be set up,
 * no inference is possible. */
ENGINE_MUST_CHECK const struct engine *engine_init(void);

/* One inference from the inputs' data to the outputs'. Inputs may be overwritten. */
ENGINE_MUST_CHECK enum engine_status engine_run(void);

/* The state as it was after engine_init. */
void engine_reset(void);

#ifdef __cplusplus
}
#endif
#endif
