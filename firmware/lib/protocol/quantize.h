/* SPDX-License-Identifier: Apache-2.0
 * Between real values and a tensor's int8, in float32. Internal to the protocol.
 */
#ifndef TINYPROOF_QUANTIZE_H
#define TINYPROOF_QUANTIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

#define Q_MIN (-128)
#define Q_MAX 127

/* q = clamp(round(x / scale) + zero_point), in float32, ties away from zero: TFLM's own quantization.
 * Rounding by the exact fraction, because x + 0.5 can round up to the next integer. */
static inline int8_t quantize(float x, const struct engine_tensor *tensor, bool *saturated) {
    const float steps = x / tensor->scale;
    int32_t q = 0;
    if (steps >= 1e6F || steps <= -1e6F) {
        q = steps > 0.0F ? INT16_MAX : INT16_MIN; /* beyond any int8 with any zero point, and safe to convert */
    } else {
        const int32_t whole = (int32_t)steps;
        const float fraction = steps - (float)whole;
        q = whole + (fraction >= 0.5F ? 1 : 0) - (fraction <= -0.5F ? 1 : 0) + tensor->zero_point;
    }
    if (q < Q_MIN || q > Q_MAX) {
        *saturated = true;
        q = q < Q_MIN ? Q_MIN : Q_MAX;
    }
    return (int8_t)q;
}

static inline float dequantize(int8_t q, const struct engine_tensor *tensor) {
    return tensor->scale * (float)(q - tensor->zero_point);
}

/* At the end of int8's range, unless that end is the tensor's own zero, as after a RELU. */
static inline bool at_rail(int8_t q, const struct engine_tensor *tensor) {
    return (q == Q_MIN || q == Q_MAX) && q != tensor->zero_point;
}

#endif
