/* SPDX-License-Identifier: Apache-2.0 */
#include "quantize.h"

#include <string.h>

#define BEYOND 1073741824.0F /* steps: beyond any value with any zero point, and safe to convert */

const struct element_type element_types[] = {
    [ENGINE_INT8] = {"int8", INT8_MIN, INT8_MAX, 1, 5},
    [ENGINE_UINT8] = {"uint8", 0, UINT8_MAX, 1, 4},
    [ENGINE_INT16] = {"int16", INT16_MIN, INT16_MAX, 2, 7},
    [ENGINE_INT32] = {"int32", INT32_MIN, INT32_MAX, 4, 12},
    [ENGINE_INT64] = {"int64", 0, 0, 8, 0},
    [ENGINE_BOOL] = {"bool", 0, 1, 1, 2},
};

uint32_t element_count(const struct engine_tensor *tensor) {
    return tensor->bytes / element_types[tensor->type].bytes;
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
    const uint8_t bytes = element_types[tensor->type].bytes;
    memcpy(tensor->data + bytes * index, &value, bytes); /* little-endian, as all boards are */
}

/* Rounding by the exact fraction, because x + 0.5 can round up to the next integer. */
int32_t quantize(float x, const struct engine_tensor *tensor, bool *saturated) {
    const struct element_type *const type = &element_types[tensor->type];
    float steps = x / tensor->scale;
    if (steps > BEYOND) {
        steps = BEYOND;
    } else if (!(steps > -BEYOND)) {
        steps = -BEYOND;
    }
    const int32_t whole = (int32_t)steps;
    const float fraction = steps - (float)whole;
    const int32_t q = whole + (fraction >= 0.5F ? 1 : 0) - (fraction <= -0.5F ? 1 : 0) + tensor->zero_point;
    if (q >= type->low && q <= type->high) {
        return q;
    }
    *saturated = true;
    return q < type->low ? type->low : type->high;
}

float dequantize(int32_t q, const struct engine_tensor *tensor) {
    return tensor->scale * (float)(q - tensor->zero_point);
}

bool at_rail(int32_t q, const struct engine_tensor *tensor) {
    const struct element_type *const type = &element_types[tensor->type];
    return (q == type->low || q == type->high) && q != tensor->zero_point && tensor->type != ENGINE_BOOL;
}
