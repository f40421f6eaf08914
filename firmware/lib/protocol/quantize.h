/* SPDX-License-Identifier: Apache-2.0
 * The elements of a tensor as numbers, and as real values in float32. Internal to the protocol.
 */
#ifndef TINYPROOF_QUANTIZE_H
#define TINYPROOF_QUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

uint8_t element_bytes(const struct engine_tensor *tensor);
/* Characters that an element takes in a reply, comma included; 0 for int64, whose numbers no line carries. */
uint8_t element_text_bytes(const struct engine_tensor *tensor);
int32_t element_low(const struct engine_tensor *tensor);
int32_t element_high(const struct engine_tensor *tensor);

uint32_t element_count(const struct engine_tensor *tensor);
int32_t element_read(const struct engine_tensor *tensor, uint32_t index);
void element_write(const struct engine_tensor *tensor, uint32_t index, int32_t value);

/* q = clamp(round(x / scale) + zero_point), in float32, ties away from zero: TFLM's own quantization. */
int32_t quantize(float x, const struct engine_tensor *tensor, bool *saturated);

float dequantize(int32_t q, const struct engine_tensor *tensor);

/* At an end of the type's range, unless that end is the tensor's own zero, as after a RELU. */
bool at_rail(int32_t q, const struct engine_tensor *tensor);

#endif
