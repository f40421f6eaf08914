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
    ENGINE_ERROR_INIT = -1,   /* the engine could not be set up: no inference is possible */
    ENGINE_ERROR_INVOKE = -2, /* this inference failed */
};

struct engine_tensor {
    int8_t *data;
    uint32_t bytes;
    float scale;
    int32_t zero_point;
};

struct engine {
    const char *name;     /* "compiled", "tflm" */
    const char *model_id; /* first 16 hex digits of the SHA-256 of model.tflite */
    struct engine_tensor input;
    struct engine_tensor output;
};

/* Sets up `engine`; call once, before anything else. */
ENGINE_MUST_CHECK enum engine_status engine_init(struct engine *engine);

/* One inference from input.data to output.data. The input may be overwritten. */
ENGINE_MUST_CHECK enum engine_status engine_run(struct engine *engine);

#ifdef __cplusplus
}
#endif
#endif
