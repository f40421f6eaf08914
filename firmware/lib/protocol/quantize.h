/* SPDX-License-Identifier: Apache-2.0
 * The elements of a tensor as numbers, and as real values in float32. Internal to the protocol.
 */
#ifndef TINYPROOF_QUANTIZE_H
#define TINYPROOF_QUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

/* What an element may be, and how many characters it takes in a reply, comma included. Of int64, whose numbers no line
 * carries, only the size is known. */
struct element_type {
    const char *name;
    int32_t low;
    int32_t high;
    uint8_t bytes;
    uint8_t text_bytes;
};

extern const struct element_type element_types[];

uint32_t element_count(const struct engine_tensor *tensor);
int32_t element_read(const struct engine_tensor *tensor, uint32_t index);
void element_write(const struct engine_tensor *tensor, uint32_t index, int32_t value);

/* q = clamp(round(x / scale) + zero_point), in float32, ties away from zero: TFLM's own quantization. */
int32_t quantize(float x, const struct engine_tensor *tensor, bool *saturated);

float dequantize(int32_t q, const struct engine_tensor *tensor);

/* At an end of the type's range, unless that end is the tensor's own zero, as after a RELU. */
bool at_rail(int32_t q, const struct engine_tensor *tensor);

#endif
