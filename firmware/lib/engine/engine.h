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

struct engine_tensor {
    int8_t *data;
    uint32_t bytes;
    float scale;
    int32_t zero_point;
};

/* "compiled", "tflm" */
extern const char engine_name[];

struct engine {
    struct engine_tensor input;
    struct engine_tensor output;
    uint32_t arena_used_bytes; /* what AllocateTensors took of tflm's arena; 0: the engine plans its memory itself */
};

/* Sets up the engine and says where its tensors are; call once, before anything else. NULL: it could not be set up,
 * no inference is possible. */
ENGINE_MUST_CHECK const struct engine *engine_init(void);

/* One inference from input.data to output.data. The input may be overwritten. */
ENGINE_MUST_CHECK enum engine_status engine_run(void);

#ifdef __cplusplus
}
#endif
#endif
