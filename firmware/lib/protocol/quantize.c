/* SPDX-License-Identifier: Apache-2.0 */
#include "quantize.h"

#include <string.h>

#define BEYOND 1073741824.0F /* steps: beyond any value with any zero point, and safe to convert */

/* By enum engine_type. Bytes alone: where constants take RAM, names and bounds would take six times as much. */
static const uint8_t sizes[] = {1, 1, 2, 4, 8, 1};
static const uint8_t text_sizes[] = {5, 4, 7, 12, 0, 2};

uint8_t element_bytes(const struct engine_tensor *tensor) {
    return sizes[tensor->type];
}

uint8_t element_text_bytes(const struct engine_tensor *tensor) {
    return text_sizes[tensor->type];
}

int32_t element_low(const struct engine_tensor *tensor) {
    return tensor->type == ENGINE_UINT8 || tensor->type == ENGINE_BOOL ? 0 : -element_high(tensor) - 1;
}

int32_t element_high(const struct engine_tensor *tensor) {
    switch (tensor->type) {
    case ENGINE_INT8:
        return INT8_MAX;
    case ENGINE_UINT8:
        return UINT8_MAX;
    case ENGINE_INT16:
        return INT16_MAX;
    case ENGINE_BOOL:
        return 1;
    default:
        return INT32_MAX;
    }
}

uint32_t element_count(const struct engine_tensor *tensor) {
    return tensor->bytes / element_bytes(tensor);
}

int32_t element_read(const struct engine_tensor *tensor, uint32_t index) {
    int16_t half = 0;
    int32_t whole = 0;
    switch (tensor->type) {
    case ENGINE_INT8:
        return tensor->data[index];
    case ENGINE_INT16:
        memcpy(&half, tensor->data + 2 * index, sizeof half);
        return half;
    case ENGINE_INT32:
        memcpy(&whole, tensor->data + 4 * index, sizeof whole);
        return whole;
    default:
        return (uint8_t)tensor->data[index];
    }
}

void element_write(const struct engine_tensor *tensor, uint32_t index, int32_t value) {
    const uint8_t bytes = element_bytes(tensor);
    int8_t *const first = tensor->data + bytes * index;
    for (uint8_t i = 0; i < bytes; i++) { /* little-endian, as all boards are */
        first[i] = (int8_t)(uint8_t)value;
        value >>= 8; /* the sign goes on into the upper half of an int64 */
    }
    if (tensor->type == ENGINE_BOOL) {
        *first &= 1;
    }
}

/* Rounding by the exact fraction, because x + 0.5 can round up to the next integer. */
int32_t quantize(float x, const struct engine_tensor *tensor, bool *saturated) {
    const int32_t low = element_low(tensor), high = element_high(tensor);
    float steps = x / tensor->scale;
    if (steps > BEYOND) {
        steps = BEYOND;
    } else if (!(steps > -BEYOND)) {
        steps = -BEYOND;
    }
    const int32_t whole = (int32_t)steps;
    const float fraction = steps - (float)whole;
    const int32_t q = whole + (fraction >= 0.5F ? 1 : 0) - (fraction <= -0.5F ? 1 : 0) + tensor->zero_point;
    if (q >= low && q <= high) {
        return q;
    }
    *saturated = true;
    return q < low ? low : high;
}

float dequantize(int32_t q, const struct engine_tensor *tensor) {
    return tensor->scale * (float)(q - tensor->zero_point);
}

bool at_rail(int32_t q, const struct engine_tensor *tensor) {
    return (q == element_low(tensor) || q == element_high(tensor)) && q != tensor->zero_point &&
           tensor->type != ENGINE_BOOL;
}
